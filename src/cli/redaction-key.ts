import { readFileSync } from 'node:fs';
import { EXIT, UserError } from '../model/errors.ts';
import { readProblem } from '../model/read-problem.ts';
import { RedactionKey } from '../redact/key.ts';

/** Fewer bytes can be guessed. */
const SHORTEST_KEY_BYTES = 16;
const LONGEST_KEY_BYTES = 1024 * 1024;
const HOW = 'make one with: head -c 32 /dev/urandom | base64 > key.txt';

/**
 * The key that `--key` names: the content of a file without its last line end, or `env:NAME`, an environment
 * variable. Throws UserError when it is not there, or so short that it could be guessed.
 */
export function readRedactionKey(source: string, env: NodeJS.ProcessEnv = process.env): RedactionKey {
  const content = source.startsWith('env:') ? fromEnvironment(source.slice(4), env) : fromFile(source);
  let end = content.length;
  while (end > 0 && (content[end - 1] === 10 || content[end - 1] === 13)) end -= 1;
  if (end < SHORTEST_KEY_BYTES) {
    throw new UserError(
      'key-too-short',
      `the key of --key ${source} has ${end} bytes, which can be guessed`,
      {
        hint: `give at least ${SHORTEST_KEY_BYTES}; ${HOW}`,
        exitCode: EXIT.usage,
      },
    );
  }
  return new RedactionKey(content.subarray(0, end));
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): Uint8Array {
  const value = env[name];
  if (value !== undefined) return Buffer.from(value);
  throw new UserError('key-missing', `there is no environment variable ${name}`, {
    hint: `set it, or name a file; ${HOW}`,
    exitCode: EXIT.usage,
  });
}

function fromFile(path: string): Uint8Array {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new UserError('key-missing', `the key cannot be read: ${readProblem(error)}`, {
      place: { file: path },
      hint: HOW,
      cause: error,
    });
  }
  if (content.length <= LONGEST_KEY_BYTES) return content;
  throw new UserError('key-too-long', 'this is too long for a key', { place: { file: path }, hint: HOW });
}
