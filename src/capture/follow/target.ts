import { EXIT, UserError } from '../../model/errors.ts';
import { STANDARD_INPUT } from '../input.ts';
import { isPattern, nameMatcher } from './pattern.ts';
import type { FileWatch } from './watch.ts';

/**
 * One argument of the user: a file, a pattern or a directory. The files that belong to it are told apart from those
 * of other arguments, because they are taken for a sequence in which one file follows another.
 */
export interface FollowTarget {
  readonly text: string;
  /** Names just one path, which does not have to exist yet. */
  readonly literal: boolean;
  /**
   * The paths that belong to it now, in any order; files, and whatever else bears a matching name.
   * `onProblem` is told of directories that cannot be read.
   */
  paths(watch: FileWatch, onProblem: (path: string, error: unknown) => void): Promise<string[]>;
}

/**
 * Reads an argument. What exists under just that name is meant, also when the name looks like a pattern.
 * Throws UserError for what cannot be followed.
 */
export async function followTarget(text: string, watch: FileWatch): Promise<FollowTarget> {
  if (text === STANDARD_INPUT) {
    throw new UserError('usage', 'standard input cannot be followed like a file', {
      hint: 'read it as it comes with: wirelens analyze - --format table',
      exitCode: EXIT.usage,
    });
  }
  if (text === '') throw new UserError('usage', 'a file name is empty', { exitCode: EXIT.usage });
  const facts = await watch.facts(text).catch(() => null);
  if (facts?.kind === 'other') {
    throw new UserError('cannot-read', 'is a pipe or a device, which has no end to wait at', {
      place: { file: text },
      hint: `read it as it comes with: wirelens analyze ${text} --format table`,
    });
  }
  if (facts === null && isPattern(text)) return new PatternTarget(text);
  return new NamedTarget(text);
}

/** A file, or all files of a directory. Which of the two is looked at every time: it may come later. */
class NamedTarget implements FollowTarget {
  readonly literal = true;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  async paths(watch: FileWatch, onProblem: (path: string, error: unknown) => void): Promise<string[]> {
    try {
      const facts = await watch.facts(this.text);
      if (facts?.kind !== 'directory') {
        watch.heed(directoryOf(this.text));
        return facts === null ? [] : [this.text];
      }
      watch.heed(this.text);
      const names = await watch.list(this.text);
      return names.filter((name) => !name.startsWith('.')).map((name) => joined(this.text, name));
    } catch (error) {
      onProblem(this.text, error);
      return [];
    }
  }
}

class PatternTarget implements FollowTarget {
  readonly literal = false;
  readonly text: string;
  readonly #components: readonly string[];

  constructor(text: string) {
    this.text = text;
    this.#components = text.split('/').filter((component) => component !== '');
  }

  async paths(watch: FileWatch, onProblem: (path: string, error: unknown) => void): Promise<string[]> {
    let found = [this.text.startsWith('/') ? '/' : ''];
    for (const [index, component] of this.#components.entries()) {
      const last = index === this.#components.length - 1;
      found = isPattern(component)
        ? await this.#expand(found, component, { watch, onProblem, last })
        : found.map((directory) => joined(directory, component.replace(/\\(.)/g, '$1')));
    }
    return found;
  }

  async #expand(
    directories: readonly string[],
    component: string,
    context: { watch: FileWatch; onProblem: (path: string, error: unknown) => void; last: boolean },
  ): Promise<string[]> {
    const { watch, onProblem, last } = context;
    const matches = nameMatcher(component);
    const found: string[] = [];
    for (const directory of directories) {
      const place = directory === '' ? '.' : directory;
      if (last) watch.heed(place);
      try {
        for (const name of await watch.list(place)) if (matches(name)) found.push(joined(directory, name));
      } catch (error) {
        const { code } = error as { code?: string };
        // A file among the directories that a pattern names, or one that is not there yet, is nothing to tell.
        if (code !== 'ENOTDIR' && code !== 'ENOENT') onProblem(place, error);
      }
    }
    return found;
  }
}

function joined(directory: string, name: string): string {
  if (directory === '') return name;
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}
