import { vi } from 'vitest';
import { runProgram } from '../src/cli/program.ts';

/**
 * Runs a command line in this process, for what ends before anything is done: a process of its own costs half a second.
 * Only standard error is taken.
 */
export async function runHere(args: readonly string[]): Promise<{ code: number; err: string }> {
  let err = '';
  const written = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    const code = await runProgram(args, '0.0.0');
    return { code, err };
  } finally {
    written.mockRestore();
  }
}
