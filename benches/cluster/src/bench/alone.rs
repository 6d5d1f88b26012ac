//! What one job costs by itself.

use super::{Bench, Fallible, Spent, sum, table};
use crate::{
    bare::{self, Life},
    load, objects,
};
use kube::Api;
use serde_json::json;
use veilgrid_api::{job::PrivateJob, status::Phase};

impl Bench {
    /// One job by itself, when another has made what namespaces share: its parties in three namespaces, then in one.
    pub async fn alone(&mut self) -> Fallible<()> {
        // The first makes what namespaces share, and shows what a party's objects look like.
        let client = self.client.clone();
        let (first, parts) = tokio::join!(self.run("first", 0, 1), bare::parts(&client));
        first?;
        self.life = Some(Life::of(&client, "first-0", parts?).await?);
        let spent = self.run("alone", 0, 1).await?;
        self.tell("alone", "One job alone, three namespaces", &spent)?;
        self.run_together("near").await?;
        let spent = self.run_together("together").await?;
        self.tell("together", "One job alone, one namespace and one budget", &spent)
    }

    fn tell(&mut self, key: &str, title: &str, spent: &Spent) -> Fallible<()> {
        let (ours, all) = (sum(&spent.operator), sum(&spent.server));
        println!(
            "\n{title}: {ours:.0} writes by the operator, {all:.0} by all, in {:.2} s.\n",
            spent.seconds
        );
        table("the operator's write", &spent.operator, 1);
        self.keep(key, json!({"seconds": spent.seconds, "operator": spent.operator, "all": spent.server}))
    }

    async fn run_together(&self, name: &str) -> Fallible<Spent> {
        let before = self.snapshot().await?;
        let jobs = Api::<PrivateJob>::namespaced(self.client.clone(), objects::HOME);
        let (submitted, ended) = tokio::join!(
            load::submit(&jobs, vec![name.to_owned()], objects::together),
            self.followed.comes(name, Phase::Succeeded, 1)
        );
        submitted.and(ended)?;
        self.spent(before).await
    }
}
