//! What the parties of a job ask for together.

use super::listed::{Class, Written};
use veilgrid_api::{
    affinity::{Apart, TopologySpread, WhenUnsatisfiable},
    cluster::Placement,
    job::PrivateJob,
};

/// Parties that are to start together. All ask for the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Gang {
    /// Their names.
    pub parties: Vec<String>,
    /// What each asks for.
    pub need: Need,
}

/// What each party of a gang asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Need {
    /// Amounts, as they are written.
    pub requests: Written,
    /// The extended resource among them.
    pub resource: Option<String>,
    /// Devices of a class.
    pub devices: Option<Devices>,
    /// On which nodes.
    pub placement: Placement,
}

/// Devices of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// The class.
    pub class: String,
    /// How many.
    pub count: u32,
    /// The job's expressions over a device, all of which must hold.
    pub selectors: Vec<String>,
    /// The class's, where there is such a class.
    pub of_class: Option<Vec<String>>,
}

impl Gang {
    /// The parties of a job, where it asks for accelerators and no queue admits it. `pod` is what each pod asks for beside them.
    pub fn of(job: &PrivateJob, pod: &[(&str, &str)]) -> Option<Self> {
        let spec = &job.spec;
        let accelerator = spec.accelerator.as_ref().filter(|_| spec.queue_name.is_none())?;
        let mut requests: Written =
            pod.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect();
        requests.insert("pods".into(), "1".into());
        if let Some(resource) = &accelerator.resource {
            requests.insert(resource.clone(), accelerator.count.to_string());
        }
        let devices = accelerator.device_class.as_ref().map(|class| Devices {
            class: class.clone(),
            count: accelerator.count,
            selectors: accelerator.selectors.clone(),
            of_class: None,
        });
        let resource = accelerator.resource.clone();
        let placement = spec.placement.clone().unwrap_or_default();
        let parties = spec.parties.iter().map(|party| party.name.clone()).collect();
        Some(Self { parties, need: Need { requests, resource, devices, placement } })
    }
}

impl Need {
    /// Looks up the class of its devices. False where it asks for an extended resource that a class stands for: then devices of
    /// that class serve it too, which only a scheduler can tell.
    pub(super) fn know(&mut self, classes: &[Class]) -> bool {
        if let Some(devices) = &mut self.devices {
            let class = classes.iter().find(|class| class.metadata.name == devices.class);
            let selectors = class.map(|class| class.spec.selectors.iter());
            devices.of_class =
                selectors.map(|all| all.map(|selector| selector.cel.expression.clone()).collect());
        }
        let stands = |class: &Class| Some(&class.spec.extended_resource_name) == self.resource.as_ref();
        !classes.iter().any(stands)
    }

    /// Labels of nodes of which no two parties may share a value.
    pub(super) fn apart(&self) -> impl Iterator<Item = &str> {
        let pods = self.placement.affinity.as_ref().and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        let apart = pods.map(|pods| &pods.required_during_scheduling_ignored_during_execution);
        apart.into_iter().flatten().map(|Apart { topology_key }| topology_key.as_str())
    }

    /// How evenly the parties must be spread.
    pub(super) fn spread(&self) -> impl Iterator<Item = &TopologySpread> {
        let must = |spread: &&TopologySpread| spread.when_unsatisfiable == WhenUnsatisfiable::DoNotSchedule;
        self.placement.topology_spread.iter().filter(must)
    }
}

impl Devices {
    /// Whether devices of a driver may be meant. An expression that begins with `device.driver == '...'`, and in which all must hold, is
    /// understood; any other says nothing here.
    pub(super) fn may_be(&self, driver: &str) -> bool {
        let differs = |expression: &String| {
            let whole = !expression.contains("||") && !expression.contains('?');
            let first = expression.split("&&").next().filter(|_| whole)?;
            let named = first.trim().strip_prefix("device.driver")?.trim().strip_prefix("==")?.trim();
            let quote = named.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
            let named = named.strip_prefix(quote)?.strip_suffix(quote)?;
            let is_plain = named.chars().all(|c| c.is_ascii_alphanumeric() || "-./_".contains(c));
            is_plain.then_some(named != driver)
        };
        let of_class = self.of_class.iter().flatten();
        !self.selectors.iter().chain(of_class).any(|expression| differs(expression) == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_read_where_it_is_certain() {
        let may = |expression: &str| {
            let of_class = Some(vec![expression.to_owned()]);
            Devices { class: String::new(), count: 1, selectors: Vec::new(), of_class }.may_be("gpu.a")
        };
        for no in [
            "device.driver == 'gpu.b'",
            " device.driver==\"gpu.b\" ",
            "device.driver == 'gpu.b' && device.attributes['gpu.b'].type == 'gpu'",
        ] {
            assert!(!may(no), "{no}");
        }
        for yes in [
            "device.driver == 'gpu.a'",
            "device.driver == 'gpu.b' || true",
            "device.driver == 'gpu.b' == false",
            "!(device.driver == 'gpu.b')",
            "device.driver != 'gpu.b'",
            "true ? true : device.driver == 'gpu.b'",
            "[1].exists(i, i == 1 && device.driver == 'gpu.b' && false) == false",
            "device.driver == 'gpu.b'.replace('b', 'a')",
            "device.attributes['gpu.b'].type == 'gpu'",
        ] {
            assert!(may(yes), "{yes}");
        }
    }
}
