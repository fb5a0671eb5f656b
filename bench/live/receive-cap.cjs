// Counts what the npm package cap delivers. node receive-cap.cjs FOLDER MEGABYTES

const path = require('node:path');
const { createRequire } = require('node:module');
const { Cap } = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'))('cap');

const capture = new Cap();
// It keeps no reference to it, so this one is needed for as long as it runs.
const buffer = Buffer.alloc(65536);
let packets = 0;
capture.open('eth0', '', Number(process.argv[3]) * 1024 * 1024, buffer);
capture.setMinBytes?.(0);
capture.on('packet', () => packets++);
process.on('SIGINT', () => {
  console.error(`${packets} packets captured, ${buffer.length} bytes at a time`);
  process.exit(0);
});
console.error('ready');
