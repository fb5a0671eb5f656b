import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/*
 * The documents show what comes out. A fenced block that follows a line `<!-- check -->` is a transcript:
 * lines that begin with `$ ` are commands, what follows them is all that they print, standard error last. Each
 * document has one empty directory for its commands, in which `fixtures` is the repository's and `wirelens`
 * (with or without `npx`) the compiled program; lines are 100 cells wide.
 *
 * `WIRELENS_ACCEPT=1 npx vitest run test/readme.test.ts` writes what comes out into the documents; read the
 * difference.
 */

const ROOT = path.resolve(import.meta.dirname, '..');
const MARK = '<!-- check -->';
const ACCEPT = process.env.WIRELENS_ACCEPT === '1';

interface Step {
  readonly command: string;
  readonly shown: string;
  /** 1-based line of the command, and how many lines of output follow it. */
  readonly line: number;
  readonly shownLines: number;
}

function documents(): string[] {
  const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name));
  return ['README.md', 'CONTRIBUTING.md', ...docs.sort()];
}

/** The commands of the marked blocks of a document, with what it says that they print. */
function transcripts(text: string): Step[][] {
  const lines = text.split('\n');
  const blocks: Step[][] = [];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] !== MARK) continue;
    if (!/^```/.test(lines[at + 1] ?? ''))
      throw new Error(`line ${at + 1}: ${MARK} is not followed by a fenced block`);
    const steps: { command: string; shown: string[]; line: number }[] = [];
    for (at += 2; at < lines.length && lines[at] !== '```'; at++) {
      const line = lines[at] as string;
      const last = steps.at(-1);
      if (last !== undefined && last.shown.length === 0 && last.command.endsWith('\\')) {
        last.command = `${last.command}\n${line}`;
      } else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [], line: at + 1 });
      else last?.shown.push(line);
    }
    blocks.push(
      steps.map(({ command, shown, line }) => ({
        command,
        shown: shown.join('\n'),
        line: line + command.split('\n').length - 1,
        shownLines: shown.length,
      })),
    );
  }
  return blocks;
}

/** A directory as after a fresh clone, as far as the commands need one. */
function sandbox(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-readme-'));
  symlinkSync(path.join(ROOT, 'fixtures'), path.join(folder, 'fixtures'));
  const bin = path.join(folder, '.bin');
  mkdirSync(bin);
  const program = `exec '${process.execPath}' '${path.join(ROOT, 'bin/wirelens.js')}' "$@"`;
  const scripts = {
    wirelens: program,
    npx: `test "$1" = wirelens || exit 97\nshift\n${program}`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  return folder;
}

function run(command: string, cwd: string): string {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  const { stdout, stderr, error } = spawnSync('/bin/sh', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: { ...env, COLUMNS: '100', LC_ALL: 'C.UTF-8', PATH: `${path.join(cwd, '.bin')}:${env.PATH}` },
    timeout: 60_000,
  });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

const trimmed = (text: string): string => text.replace(/[ \t]+$/gm, '').replace(/\n+$/, '');

describe.skipIf(process.platform === 'win32')(
  'what the documents show is what comes out (needs a POSIX shell)',
  () => {
    const checked = documents()
      .map((name) => ({ name, steps: transcripts(readFileSync(path.join(ROOT, name), 'utf8')).flat() }))
      .filter(({ steps }) => steps.length > 0);
    const folders = new Map<string, string>();

    beforeAll(() => {
      for (const { name } of checked) folders.set(name, sandbox());
    });
    afterAll(() => {
      for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
    });

    it('finds the transcripts', () => {
      expect(checked.find(({ name }) => name === 'README.md')?.steps.length ?? 0).toBeGreaterThan(5);
      expect(() => transcripts(`${MARK}\ntext`)).toThrow('fenced block');
    });

    if (ACCEPT) {
      it('accepts what comes out', () => {
        for (const { name, steps } of checked) {
          const lines = readFileSync(path.join(ROOT, name), 'utf8').split('\n');
          const printed = steps.map(({ command }) => trimmed(run(command, folders.get(name) as string)));
          for (const [index, { line, shownLines }] of [...steps.entries()].reverse()) {
            const text = printed[index] as string;
            lines.splice(line, shownLines, ...(text === '' ? [] : text.split('\n')));
          }
          writeFileSync(path.join(ROOT, name), lines.join('\n'));
        }
      });
      return;
    }

    for (const { name, steps } of checked) {
      it(name, () => {
        for (const { command, shown, line } of steps) {
          const printed = run(command, folders.get(name) as string);
          expect(trimmed(printed), `${name}, line ${line}: ${command}`).toBe(trimmed(shown));
        }
      });
    }
  },
);

describe('links in the documents', () => {
  const all = [
    ...documents(),
    'CHANGELOG.md',
    'fixtures/README.md',
    'fixtures/http/README.md',
    'deploy/README.md',
  ];

  it.each(all)('%s leads nowhere that is not there', (name) => {
    const text = readFileSync(path.join(ROOT, name), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !isThere(path.join(ROOT, path.dirname(name)), target, text));
    expect(broken).toEqual([]);
  });

  function isThere(folder: string, target: string, text: string): boolean {
    const [file, anchor] = target.split('#') as [string, string?];
    const whole = path.join(folder, file);
    let linked = text;
    if (file !== '') {
      try {
        if (anchor === undefined) return readdirSync(path.dirname(whole)).includes(path.basename(whole));
        linked = readFileSync(whole, 'utf8');
      } catch {
        return false;
      }
    }
    return anchor === undefined || anchors(linked).includes(anchor);
  }

  /** As code hosts make them from headings. */
  function anchors(text: string): string[] {
    return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      (title as string)
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  }
});
