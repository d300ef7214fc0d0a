// Loaded before the webhook's own program: however the demo ends, its end of this pipe closes with it, and the
// webhook ends too. Portable, where a process group is not.
process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
// The pipe alone must not keep a webhook alive that has otherwise ended.
process.stdin.unref();
