import { readFileSync } from 'node:fs';
import { surviveHangUps } from './hang-ups.ts';

/** Version of the package, from its package.json. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const args = process.argv.slice(2);
surviveHangUps(args);
// The version alone must not wait for anything else to load.
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { runProgram } = await import('./program.ts');
  const exitCode = await runProgram(args, packageVersion());
  // Whatever still waits, such as standard input after a signal, must not keep the process alive.
  process.exit(exitCode);
}
