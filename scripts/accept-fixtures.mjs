// Takes what Wirelens says today as the expectation: `npm run fixtures:accept [name …]`. Look at `git diff` afterwards.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exchangesOf, expectedText, goldenFolders } from './expected-exchanges.mjs';

const wanted = process.argv.slice(2);
let changed = 0;
for (const { name, folder, capture } of goldenFolders()) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const file = path.join(folder, 'exchanges.json');
  const exchanges = await exchangesOf(folder, capture);
  const text = expectedText(exchanges);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  writeFileSync(file, text);
  changed++;
  console.log(`${name}: ${exchanges.length} exchanges`);
}
console.log(`${changed} changed`);
