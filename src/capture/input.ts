import * as fs from 'node:fs';
import * as net from 'node:net';
import type { Readable } from 'node:stream';
import { EXIT, UserError } from '../model/errors.ts';
import { type ByteSupply, FileSupply, StreamSupply } from './byte-supply.ts';

/** How standard input is written on the command line. */
export const STANDARD_INPUT = '-';

export interface Input {
  readonly supply: ByteSupply;
  /** A regular file: it can be closed and opened again with the same bytes. */
  readonly regular: boolean;
}

/**
 * Opens a file, a named pipe or standard input for reading.
 * Throws UserError `cannot-read` when it is missing, forbidden, a directory or a terminal.
 */
export async function openInput(path: string, stdin: Readable | undefined): Promise<Input> {
  if (path === STANDARD_INPUT) return { supply: openStandardInput(stdin), regular: false };
  let fd: number;
  try {
    fd = await new Promise<number>((resolve, reject) => {
      fs.open(path, 'r', (error, opened) => (error === null ? resolve(opened) : reject(error)));
    });
  } catch (error) {
    throw cannotOpen(path, error);
  }
  const stat = fs.fstatSync(fd);
  if (stat.isDirectory()) {
    fs.closeSync(fd);
    throw cannotOpen(path, { code: 'EISDIR' });
  }
  // A read that waits for a pipe's writer would hold a thread, and with it the end of the process.
  if (stat.isFIFO() || stat.isSocket()) {
    const socket = new net.Socket({ fd, readable: true, writable: false });
    return { supply: new StreamSupply(socket), regular: false };
  }
  return { supply: new FileSupply(fd, true), regular: stat.isFile() };
}

function openStandardInput(stdin: Readable | undefined): ByteSupply {
  if (stdin !== undefined) return new StreamSupply(stdin);
  if (isRegularFile(0)) return new FileSupply(0, false);
  if (process.stdin.isTTY) {
    throw new UserError('cannot-read', 'standard input is a terminal', {
      place: { file: STANDARD_INPUT },
      hint: 'pipe a capture into it, as in: tcpdump -w - | wirelens analyze -',
      exitCode: EXIT.usage,
    });
  }
  return new StreamSupply(process.stdin);
}

function isRegularFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

const OPEN_ERRORS: Record<string, readonly [what: string, hint: string]> = {
  ENOENT: ['no such file', 'check the path'],
  ENOTDIR: ['no such file', 'a part of the path is a file, not a directory'],
  EACCES: ['permission denied', 'let your user read it, or run as one who may'],
  EPERM: ['permission denied', 'let your user read it, or run as one who may'],
  EISDIR: ['is a directory', 'name the captures in it, as in: DIR/*.pcap'],
  EMFILE: ['too many open files', 'raise the limit (ulimit -n) or give fewer captures at once'],
  ENFILE: ['too many open files', 'raise the limit of the system or give fewer captures at once'],
};

function cannotOpen(path: string, error: unknown): UserError {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const [what, hint] = OPEN_ERRORS[code] ?? [`cannot be opened (${code || message})`, undefined];
  return new UserError('cannot-read', what, {
    place: { file: path },
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
