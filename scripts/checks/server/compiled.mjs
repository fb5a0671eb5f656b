// The tests' TypeScript, compiled for checks, which run without vitest.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const out = `${root}/node_modules/.cache/wirelens-checks`;
const tsc = `${root}/node_modules/typescript/bin/tsc`;
execFileSync(
  process.execPath,
  [
    tsc,
    '--ignoreConfig',
    '--outDir',
    out,
    '--rootDir',
    `${root}/test/server`,
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
    '--rewriteRelativeImportExtensions',
    `${root}/test/server/api-fuzz.ts`,
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);

export const { ApiFuzz, send } = await import(`${out}/api-fuzz.js`);
