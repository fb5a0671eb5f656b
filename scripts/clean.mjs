// Removes what was compiled before, so that nothing without a source is left in dist.
import fs from 'node:fs';

fs.rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
