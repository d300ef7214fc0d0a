// Node is what puts pods onto a machine, runs them there and makes Services
// answer: kube-scheduler, kubelet and kube-proxy, in one program because nine
// tenths of their code is the same.
//
//	node kube-scheduler FLAGS...
//	node kubelet FLAGS...
//	node kube-proxy FLAGS...
//	node --version
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	var command *cobra.Command
	switch os.Args[1] {
	case "--version":
		fmt.Println(version.Get().GitVersion)
		return
	case "kube-scheduler":
		command = scheduler.NewSchedulerCommand()
	case "kubelet":
		command = kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		command = proxy.NewProxyCommand()
	default:
		usage()
	}
	command.SetArgs(os.Args[2:])
	os.Exit(cli.Run(command))
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: node kube-scheduler|kubelet|kube-proxy FLAGS... | --version")
	os.Exit(2)
}
