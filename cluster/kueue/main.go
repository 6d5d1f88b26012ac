// Command kueue runs the controllers and the scheduler of Kueue (sigs.k8s.io/kueue) as they are, for Jobs and without their webhooks: objects are
// written with what the webhooks would set. Its requests are not limited.
package main

import (
	"context"
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	configapi "sigs.k8s.io/kueue/apis/config/v1beta2"
	kueue "sigs.k8s.io/kueue/apis/kueue/v1beta2"
	qcache "sigs.k8s.io/kueue/pkg/cache/queue"
	schdcache "sigs.k8s.io/kueue/pkg/cache/scheduler"
	"sigs.k8s.io/kueue/pkg/config"
	"sigs.k8s.io/kueue/pkg/constants"
	"sigs.k8s.io/kueue/pkg/controller/core"
	"sigs.k8s.io/kueue/pkg/controller/core/indexer"
	"sigs.k8s.io/kueue/pkg/controller/jobframework"
	"sigs.k8s.io/kueue/pkg/controller/jobs/job"
	"sigs.k8s.io/kueue/pkg/metrics"
	"sigs.k8s.io/kueue/pkg/scheduler"
	preemptexpectations "sigs.k8s.io/kueue/pkg/scheduler/preemption/expectations"
	"sigs.k8s.io/kueue/pkg/util/kubeversion"
)

func main() {
	file := flag.String("config", "", "Kueue's own configuration")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	metrics.Register()
	if err := run(ctrl.SetupSignalHandler(), *file); err != nil {
		ctrl.Log.Error(err, "Kueue's controllers end")
		os.Exit(1)
	}
}

// run starts what Kueue's own main starts for Jobs, but for webhooks and their certificates.
func run(ctx context.Context, file string) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kueue.AddToScheme, configapi.AddToScheme} {
		utilruntime.Must(add(scheme))
	}
	options, settings, err := config.Load(scheme, file)
	if err != nil {
		return err
	}
	options.LeaderElection = false
	options.Metrics.BindAddress, options.HealthProbeBindAddress = "0", "0"
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	cluster.QPS, cluster.Burst = 5000, 10000
	manager, err := ctrl.NewManager(cluster, options)
	if err != nil {
		return err
	}
	client, fields := manager.GetClient(), manager.GetFieldIndexer()
	preemptions := preemptexpectations.New()
	quotas := schdcache.New(client)
	requeuer := qcache.NewRequeuer()
	if err := manager.Add(requeuer); err != nil {
		return err
	}
	queues := qcache.NewManager(client, quotas, requeuer, qcache.WithPreemptionExpectations(preemptions))
	if err := indexer.Setup(ctx, fields); err != nil {
		return err
	}
	if err := job.SetupIndexes(ctx, fields); err != nil {
		return err
	}
	if name, err := core.SetupControllers(manager, queues, quotas, &settings, nil, preemptions, nil); err != nil {
		ctrl.Log.Error(err, "no controller", "name", name)
		return err
	}
	asks, err := discovery.NewDiscoveryClientForConfig(cluster)
	if err != nil {
		return err
	}
	version := kubeversion.NewServerVersionFetcher(asks)
	if err := version.FetchServerVersion(); err != nil {
		return err
	}
	events := manager.GetEventRecorderFor
	jobs, err := job.NewReconciler(ctx, client, fields, events("job"),
		jobframework.WithKubeServerVersion(version), jobframework.WithManagerName(constants.KueueName),
		jobframework.WithCache(quotas), jobframework.WithQueues(queues))
	if err != nil {
		return err
	}
	if err := jobs.SetupWithManager(manager); err != nil {
		return err
	}
	go queues.CleanUpOnContext(ctx)
	go quotas.CleanUpOnContext(ctx)
	admission := scheduler.New(queues, quotas, client, events(constants.AdmissionName), scheduler.WithPreemptionExpectations(preemptions))
	if err := manager.Add(admission); err != nil {
		return err
	}
	return manager.Start(ctx)
}
