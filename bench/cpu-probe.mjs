/** Loaded into a measured process with --import: tells its own CPU time and memory when asked. */
process.on('message', (question) => {
  if (question !== 'usage') return;
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system, user, system, rss: process.memoryUsage.rss() });
});
// The channel alone must not keep the process alive.
process.channel?.unref();
