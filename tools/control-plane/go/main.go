// Controlplane is etcd, kube-apiserver and, when asked, kube-controller-manager
// in one process: a Kubernetes for tests that starts in two seconds.
//
//	controlplane DIRECTORY   keeps etcd's data and socket in DIRECTORY
//	controlplane --version
//
// It reads its settings as one line of JSON from standard input and ends when
// that input ends, so it cannot outlive the process that started it. It then
// removes DIRECTORY too, unless a line "keep" came before the end.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

type settings struct {
	// Kubeconfig is used to wait for the API server before the controllers start.
	Kubeconfig        string   `json:"kubeconfig"`
	APIServer         []string `json:"apiServer"`
	ControllerManager []string `json:"controllerManager"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: controlplane DIRECTORY|--version")
		os.Exit(2)
	}
	if os.Args[1] == "--version" {
		fmt.Println(version.Get().GitVersion)
		return
	}
	// When the owner is killed nobody reads our log any more, and a write to it
	// would end this process before it has cleaned up.
	signal.Ignore(syscall.SIGPIPE)
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(directory string) error {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	if !input.Scan() {
		return errors.New("no settings on standard input")
	}
	var s settings
	if err := json.Unmarshal(input.Bytes(), &s); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	abandoned := false
	// Runs after etcd is closed, which may still write until then.
	defer func() {
		if abandoned {
			os.RemoveAll(directory)
		}
	}()
	etcd, err := startEtcd(directory)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer stopWithin(etcd, 2*time.Second)

	// Both components configure logging; in one process the second call would be refused.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
	ended := make(chan error, 4)
	go func() { ended <- execute("kube-apiserver", apiserver.NewAPIServerCommand(), s.APIServer) }()
	if len(s.ControllerManager) > 0 {
		go func() { ended <- runControllers(s) }()
	}
	keep := make(chan bool, 1)
	go func() { keep <- readToEnd(input) }()
	select {
	case err = <-ended:
	case err = <-etcd.Err():
	case kept := <-keep:
		abandoned = !kept
	}
	return err
}

// readToEnd waits for the end of the input and tells whether it said "keep".
func readToEnd(input *bufio.Scanner) bool {
	keep := false
	for input.Scan() {
		keep = keep || input.Text() == "keep"
	}
	return keep
}

func startEtcd(directory string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = filepath.Join(directory, "etcd")
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	// A single member elects itself: short timers save up to a second of waiting.
	config.TickMs = 10
	config.ElectionMs = 100
	// A socket in a private directory: no port to collide on, nobody else can write to it.
	socket := filepath.Join(directory, "etcd.sock")
	config.ListenClientUrls = []url.URL{{Scheme: "unix", Path: socket}}
	config.ListenPeerUrls = []url.URL{{Scheme: "unix", Path: socket + "-peer"}}
	// etcd wants host and port in what it advertises; with one member nobody dials it.
	nobody := url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	config.AdvertiseClientUrls = []url.URL{nobody}
	config.AdvertisePeerUrls = []url.URL{nobody}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, err
	case <-time.After(30 * time.Second):
		return nil, errors.New("not ready within 30 s")
	}
}

func runControllers(s settings) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// kube-controller-manager gives up after 10 s; a loaded machine needs longer.
	for {
		if _, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(context.Background()); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return execute("kube-controller-manager", controllermanager.NewControllerManagerCommand(), s.ControllerManager)
}

func execute(name string, command *cobra.Command, args []string) error {
	command.SetArgs(args)
	command.SilenceUsage = true
	if err := command.Execute(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// stopWithin closes etcd's files, not its connections: a graceful close would
// wait for the API server, which ends with this process, to hang up.
func stopWithin(etcd *embed.Etcd, limit time.Duration) {
	closed := make(chan struct{})
	go func() {
		etcd.Server.HardStop()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(limit):
	}
}
