// Counts what the npm package pcap delivers. node receive-pcap.cjs FOLDER MEGABYTES

const path = require('node:path');
const { createRequire } = require('node:module');
const pcap = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'))('pcap');

const session = pcap.createSession('eth0', { buffer_size: Number(process.argv[3]) * 1024 * 1024 });
let packets = 0;
session.on('packet', () => packets++);
process.on('SIGINT', () => {
  const { ps_drop: dropped } = session.stats();
  console.error(`${packets} packets captured`);
  console.error(`${dropped} packets dropped`);
  process.exit(0);
});
console.error('ready');
