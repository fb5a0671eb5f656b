// The programs that receive, how each is started, and how each tells what it received.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { installed } from '../../scripts/checks/live/programs.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const WIRELENS = process.env.WIRELENS ?? path.join(ROOT, 'bin/wirelens.js');
const RING_ONLY = path.join(ROOT, 'bench/live-ring.mjs');
const MEGABYTES = 64;

/** The first number before these words. */
function number(text, words) {
  const found = new RegExp(`([\\d][\\d.,' ]*) ${words}`).exec(text)?.[1];
  return found === undefined ? null : Number(found.replaceAll(/\D/g, ''));
}

/**
 * Each: `words` to start it in the receiving namespace, `ready` what it says when it listens, `counts` makes
 * {received, dropped, exchanges}, null where it cannot tell, of {stdout, stderr}, the ends of what it said, after SIGINT. All with 64 MB of buffer where they have one.
 * `missing`: why it is left out.
 */
export function receivers(modulesFolder) {
  const node = process.execPath;
  return [
    wirelens('wirelens, HTTP matched', ['--where', 'status >= 500']),
    wirelens('wirelens, and printed', []),
    ...[1, 2].flatMap((workers) => {
      const threads = ['--workers', String(workers)];
      return [
        wirelens(`wirelens --workers ${workers}, HTTP matched`, [...threads, '--where', 'status >= 500']),
        wirelens(`wirelens --workers ${workers}, and printed`, threads),
      ];
    }),
    {
      name: 'wirelens, receive only',
      missing: existsSync(RING_ONLY) ? null : 'there is no bench/live-ring.mjs',
      words: [node, RING_ONLY, '--receive', 'eth0', '--modules', path.resolve(WIRELENS, '../../dist')],
      ready: /ready/,
      counts: ({ stdout }) => {
        const { packets, dropped } = JSON.parse(stdout.trim().split('\n').at(-1));
        return { received: packets, dropped, exchanges: null };
      },
    },
    {
      name: 'tcpdump -w /dev/null',
      missing: installed('tcpdump') ? null : 'tcpdump is not installed',
      words: ['tcpdump', '-i', 'eth0', '-B', String(MEGABYTES * 1024), '-Z', 'root', '-w', '/dev/null'],
      ready: /listening on/,
      counts: ({ stderr }) => ({
        received: number(stderr, 'packets? captured'),
        dropped: number(stderr, 'packets? dropped by kernel'),
        exchanges: null,
      }),
    },
    ...['pcap', 'cap'].map((name) => ({
      name: `npm ${name}, count only`,
      missing: moduleMissing(modulesFolder, name),
      words: [
        node,
        path.join(import.meta.dirname, `receive-${name}.cjs`),
        modulesFolder ?? '',
        String(MEGABYTES),
      ],
      ready: /ready/,
      counts: ({ stderr }) => ({
        received: number(stderr, 'packets captured'),
        dropped: number(stderr, 'packets dropped'),
        exchanges: null,
      }),
    })),
  ];
}

/** Matches HTTP and prints the exchanges for which the words leave room, as JSON Lines. */
function wirelens(name, words) {
  const options = ['-i', 'eth0', '--buffer', `${MEGABYTES}MiB`, '--format', 'json', ...words];
  return {
    name,
    words: [process.execPath, WIRELENS, 'capture', ...options],
    ready: /\n/,
    counts: ({ stderr }) => ({
      received: number(stderr, 'packets? captured'),
      dropped: number(stderr, 'packets? dropped'),
      exchanges: number(stderr, 'exchanges? on'),
    }),
  };
}

function moduleMissing(folder, name) {
  if (folder === undefined) return 'say --modules FOLDER, a folder in which npm has installed it';
  try {
    createRequire(path.join(path.resolve(folder), 'package.json'))(name);
    return null;
  } catch (error) {
    return `npm ${name}: ${error.message.split('\n')[0]}`;
  }
}
