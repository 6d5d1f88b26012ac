// Command jobset runs the controllers of JobSet (sigs.k8s.io/jobset) as they are, without their webhooks, as a peer in
// measurements: objects are written with the defaults that the webhooks would set. Its requests are not limited.
package main

import (
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	jobset "sigs.k8s.io/jobset/api/jobset/v1alpha2"
	"sigs.k8s.io/jobset/pkg/controllers"
	"sigs.k8s.io/jobset/pkg/metrics"
)

func main() {
	listen := flag.String("metrics-bind-address", "127.0.0.1:0", "where its figures are served, without TLS")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	metrics.Register()
	if err := run(*listen); err != nil {
		ctrl.Log.Error(err, "JobSet's controllers end")
		os.Exit(1)
	}
}

// run starts what JobSet's own main starts, but for webhooks and their certificates.
func run(listen string) error {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(jobset.AddToScheme(scheme))
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 5000, 10000
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: listen},
	})
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	if err := controllers.SetupJobSetIndexes(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	if err := controllers.SetupPodIndexes(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	client, events := manager.GetClient(), manager.GetEventRecorder
	if err := controllers.NewJobSetReconciler(client, scheme, events("jobset")).SetupWithManager(manager); err != nil {
		return err
	}
	if err := controllers.NewPodReconciler(client, scheme, events("pod")).SetupWithManager(manager); err != nil {
		return err
	}
	return manager.Start(ctx)
}
