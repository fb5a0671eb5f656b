import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from '../../../store/output-file.ts';
import type { Rotation } from './rotation.ts';

/** A name to write to, and whether what stands there goes. */
export interface ChosenName {
  readonly path: string;
  readonly overwrite: boolean;
}

/**
 * Gives a recording its file names: those that tcpdump would give. What tcpdump would overwrite and is not a part of
 * the ring stays: before the recording begins it is an error, later a number is put after the name.
 */
export class FileNames {
  readonly #rotation: Rotation;
  readonly #force: boolean;
  readonly #remembered: number;
  /** Names given lately, oldest first. */
  readonly #own = new Set<string>();
  #position = 0;

  /**
   * @param path as given with -w
   * @param remembered see RecordingLimits.namesRemembered
   */
  constructor(rotation: Rotation, force: boolean, remembered: number) {
    this.#rotation = rotation;
    this.#force = force;
    this.#remembered = remembered;
  }

  /**
   * The name of the first file.
   *
   * @throws UserError when its directory is missing, or a file stands under a name that the recording will use, unless it may go
   */
  first(path: string, unixSeconds: number): ChosenName {
    const name = this.#rotation.name(unixSeconds, 0);
    const there = statSync(name, { throwIfNoEntry: false });
    // Said before anything is captured: the file itself is opened while packets come.
    if (there === undefined && !existsSync(dirname(name))) throw fileError(name, { code: 'ENOENT' });
    if (there?.isDirectory() === true) throw fileError(name, { code: 'EISDIR' });
    if (!this.#force) {
      if (there?.isFile() === true) throw fileError(name, { code: 'EEXIST' });
      const taken = this.#laterNames(path).find((one) => statSync(one, { throwIfNoEntry: false })?.isFile());
      if (taken !== undefined) throw fileError(taken, { code: 'EEXIST' });
    }
    this.#remember(name);
    // Pipes and devices are there already.
    return { path: name, overwrite: this.#force || there !== undefined };
  }

  /** The name of the next file. `newTime`: a new stretch of -G begins, and numbers with it. */
  next(unixSeconds: number, newTime: boolean): ChosenName {
    const { isRing, mayOverwrite, name } = this.#rotation;
    this.#position = newTime ? 0 : this.#rotation.next(this.#position);
    const wanted = name(unixSeconds, this.#position);
    const overwrite = isRing ? mayOverwrite(wanted) : this.#force && !this.#own.has(wanted);
    if (overwrite || statSync(wanted, { throwIfNoEntry: false }) === undefined) {
      this.#remember(wanted);
      return { path: wanted, overwrite };
    }
    let number = 1;
    while (statSync(wanted + number, { throwIfNoEntry: false }) !== undefined) number += 1;
    this.#remember(wanted + number);
    return { path: wanted + number, overwrite: false };
  }

  /** Files of the directory whose names will be wanted later. */
  #laterNames(path: string): string[] {
    const { isRing, mayOverwrite, fileBytes, seconds } = this.#rotation;
    if (!isRing && (fileBytes === null || seconds !== null)) return [];
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    const names = entriesOf(directory).map((entry) => directory + entry);
    if (isRing) return names.filter((name) => mayOverwrite(name));
    return names.filter((name) => name.startsWith(path) && /^\d+$/.test(name.slice(path.length)));
  }

  #remember(name: string): void {
    this.#own.add(name);
    if (this.#own.size <= this.#remembered) return;
    for (const oldest of this.#own) {
      this.#own.delete(oldest);
      break;
    }
  }
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory === '' ? '.' : directory);
  } catch {
    // The directory has conversions in its name, or is missing; the latter is said when the file is opened.
    return [];
  }
}
