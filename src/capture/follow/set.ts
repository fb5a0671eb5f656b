import type { UserError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import { DECIDING_BYTES } from '../recognise.ts';
import type { BufferPool } from './blocks.ts';
import { FollowedFile, OpenFiles } from './file.ts';
import { probe, probePacked } from './probe.ts';
import type { FollowTarget } from './target.ts';
import type { FileFacts, FileWatch } from './watch.ts';

/** What a set of followed files tells while it is looked at. */
export interface FollowTold {
  /** A file is not a capture and is left out. */
  refused(file: FollowedFile, error: UserError): void;
  /** A file or a directory cannot be read now; it is tried again. */
  problem(path: string, code: string): void;
  /** A file was gone, or had other content, before anything of it was read. */
  vanished(path: string): void;
  /** A compressed copy of a file that was read. */
  copy(file: FollowedFile): void;
}

export interface FollowSetOptions {
  readonly targets: readonly FollowTarget[];
  readonly watch: FileWatch;
  readonly limits: Limits;
  readonly buffers: BufferPool;
  readonly told: FollowTold;
}

/** Files held open while they wait for their turn, so that they can be read also after they were deleted. */
const FILES_KEPT_OPEN = 128;
/** Files at rest that are looked at in one round, so that thousands of old ones do not make rounds long. */
const AT_REST_PER_ROUND = 256;
/** A compressed file counts as complete when it has not grown for so long. */
export const PACKED_REST_MS = 1000;
/** Names and first packets of files that were read, to recognise their compressed copies. */
const READ_BEFORE = 10_000;
const PACKED_ENDING = /\.(gz|zst|zstd)$/i;

/** The files that belong to the targets, kept up to date by looking. */
export class FollowSet {
  readonly #options: FollowSetOptions;
  readonly #files = new Map<string, FollowedFile>();
  readonly #openFiles = new OpenFiles(FILES_KEPT_OPEN);
  /** `path time` of captures that are or were there uncompressed. */
  readonly #readBefore = new Set<string>();
  /** Names that were listed when nothing was there any more. */
  #missed = new Set<string>();
  #problems = new Set<string>();
  #restAt = 0;
  /** Deleted while they waited for their turn, but still open. */
  #nameless: FollowedFile[] = [];

  constructor(options: FollowSetOptions) {
    this.#options = options;
  }

  /** All files whose names are there, and those without a name that can still be read. */
  *files(): Iterable<FollowedFile> {
    yield* this.#files.values();
    yield* this.#nameless;
  }

  /** Looks at everything once. */
  async look(): Promise<void> {
    const paths = await this.#list();
    const displaced = await this.#lookAtKnown(paths);
    await this.#lookAtUnknown(paths, displaced);
    for (const file of this.#files.values()) if (!paths.has(file.path)) this.#leave(file, paths);
    for (const file of displaced) if (this.#files.get(file.path) !== file) this.#leave(file, paths);
    for (const path of this.#missed) if (!paths.has(path)) this.#missed.delete(path);
    this.#nameless = this.#nameless.filter((file) => file.state === 'waiting');
    for (const file of this.#files.values()) if (file.state === 'new') await this.#probe(file, paths);
  }

  /** Remembers a capture so that its compressed copy is recognised. */
  remember(file: FollowedFile): void {
    if (file.packed) return;
    const readBefore = this.#readBefore;
    readBefore.add(`${file.path} ${file.firstNs}`);
    if (readBefore.size > READ_BEFORE) readBefore.delete(readBefore.values().next().value as string);
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  async #list(): Promise<Map<string, number>> {
    const { targets, watch } = this.#options;
    const paths = new Map<string, number>();
    const problems = new Set<string>();
    for (const [index, target] of targets.entries()) {
      const found = await target.paths(watch, (path, error) => {
        problems.add(path);
        this.#tellProblem(path, error);
      });
      for (const path of found) if (!paths.has(path)) paths.set(path, index);
    }
    for (const path of this.#problems)
      if (!problems.has(path) && !paths.has(path)) this.#problems.delete(path);
    return paths;
  }

  #tellProblem(path: string, error: unknown): void {
    const { code, message } = error as { code?: string; message?: string };
    if (this.#problems.has(path)) return;
    this.#problems.add(path);
    this.#options.told.problem(path, code ?? message ?? 'unknown error');
  }

  /** What is now under a path; undefined: it could not be looked at. */
  async #factsOf(path: string): Promise<FileFacts | null | undefined> {
    try {
      return await this.#options.watch.facts(path);
    } catch (error) {
      this.#tellProblem(path, error);
      return undefined;
    }
  }

  /** Looks at the files that are known. Gives those whose paths mean other files, or other content, now. */
  async #lookAtKnown(paths: ReadonlyMap<string, number>): Promise<Set<FollowedFile>> {
    const displaced = new Set<FollowedFile>();
    const due: FollowedFile[] = [];
    const atRest: FollowedFile[] = [];
    for (const file of this.#files.values()) {
      if (!paths.has(file.path)) continue;
      (file.state === 'new' || file.state === 'open' ? due : atRest).push(file);
    }
    for (let count = Math.min(AT_REST_PER_ROUND, atRest.length); count > 0; count--) {
      this.#restAt = (this.#restAt + 1) % atRest.length;
      due.push(atRest[this.#restAt]);
    }
    for (const file of due) {
      const facts = await this.#factsOf(file.path);
      if (facts === undefined) continue;
      if (facts !== null && facts.id === file.facts.id && (await this.#isStill(file, facts))) continue;
      displaced.add(file);
      this.#files.delete(file.path);
    }
    return displaced;
  }

  /** The same file under the same name: is it also the same content? */
  async #isStill(file: FollowedFile, facts: FileFacts): Promise<boolean> {
    if (file.overwritten) return false;
    const { bytes, stamp } = file.facts;
    if (facts.bytes === bytes && facts.stamp === stamp) return true;
    const grown = file.look(facts);
    if (file.state === 'refused') return facts.bytes >= bytes;
    // What is being read notices by itself when it reads on.
    if (grown && file.state === 'open') return true;
    try {
      const still = await file.verify();
      if (still && grown) this.#grown(file);
      return still;
    } catch (error) {
      this.#tellProblem(file.path, error);
      return true;
    } finally {
      if (file.state === 'waiting') await file.closeUnlessRoom();
      else if (file.state !== 'open') await file.close();
    }
  }

  #grown(file: FollowedFile): void {
    if (file.state === 'left-out') file.state = file.firstNs === null ? 'new' : 'waiting';
    // A compressed file has no place where to go on: it is read again, and what was given out is skipped.
    else if (file.packed && (file.state === 'over' || file.state === 'copy' || file.state === 'waiting')) {
      file.state = 'new';
    }
  }

  /** The file is not under its path any more. */
  #leave(file: FollowedFile, paths: ReadonlyMap<string, number>): void {
    if (this.#files.get(file.path) === file) this.#files.delete(file.path);
    file.goneSinceMs ??= this.#options.watch.nowMs();
    if (file.state === 'open') return;
    if (file.state === 'waiting' && file.isOpen && !file.overwritten) {
      this.#nameless.push(file);
      return;
    }
    const unread = file.state === 'waiting' || (file.state === 'new' && file.facts.bytes > DECIDING_BYTES);
    if (unread && file.packetsDone === 0 && !hasCopy(file.path, paths)) {
      this.#options.told.vanished(file.path);
    }
    if (file.state === 'waiting') file.state = 'over';
    void file.close();
  }

  async #lookAtUnknown(
    paths: ReadonlyMap<string, number>,
    displaced: ReadonlySet<FollowedFile>,
  ): Promise<void> {
    const byId = new Map<string, FollowedFile>();
    for (const file of [...this.#files.values(), ...displaced]) byId.set(file.facts.id, file);
    const before = new Set(Array.from(displaced, (file) => file.path));
    for (const [path, target] of paths) {
      if (this.#files.has(path)) continue;
      const facts = await this.#factsOf(path);
      if (facts === undefined) continue;
      if (facts === null) {
        // What was known is dealt with as a file that left.
        if (before.has(path)) this.#missed.add(path);
        else this.#miss(path, paths);
      } else if (facts.kind === 'file') await this.#meet(path, target, facts, byId);
    }
  }

  /** It was listed, and gone before it could be looked at; a link to nothing looks the same, so it counts once. */
  #miss(path: string, paths: ReadonlyMap<string, number>): void {
    if (this.#missed.has(path)) return;
    this.#missed.add(path);
    if (!hasCopy(path, paths)) this.#options.told.vanished(path);
  }

  async #meet(
    path: string,
    target: number,
    facts: FileFacts,
    byId: Map<string, FollowedFile>,
  ): Promise<void> {
    const same = byId.get(facts.id);
    if (same !== undefined && !same.overwritten) {
      const stillThere = this.#files.get(same.path) === same && (await this.#factsOf(same.path));
      // Another name of a file that is there: a link.
      if (stillThere && stillThere.id === facts.id) return;
      if (await this.#isRenamed(same, path)) {
        same.look(facts);
        return;
      }
    }
    const file = new FollowedFile(path, target, facts, this.#options.watch, this.#openFiles);
    this.#files.set(path, file);
    byId.set(facts.id, file);
  }

  /** An inode number alone does not tell: it is used again after a deletion. */
  async #isRenamed(file: FollowedFile, path: string): Promise<boolean> {
    const oldPath = file.path;
    file.path = path;
    if (!(await file.verify().catch(() => false))) {
      file.path = oldPath;
      return false;
    }
    if (this.#files.get(oldPath) === file) this.#files.delete(oldPath);
    this.#files.set(path, file);
    if (file.state !== 'open') await file.closeUnlessRoom();
    return true;
  }

  async #probe(file: FollowedFile, paths: ReadonlyMap<string, number>): Promise<void> {
    const { limits, buffers, told, watch } = this.#options;
    if (file.packed) {
      const plain = file.path.replace(PACKED_ENDING, '');
      // While both are there, the compressor is at work, or the copy was kept.
      if (plain !== file.path && paths.has(plain)) return;
      if (watch.nowMs() - file.grewMs < PACKED_REST_MS) return;
    }
    const content = `${file.facts.bytes} ${file.facts.stamp} ${file.packed}`;
    if (file.problem === null && file.probed === content) return;
    file.probed = content;
    try {
      const found = await (file.packed ? probePacked(file, limits, buffers) : probe(file, limits, buffers));
      if (file.problem !== null) {
        this.#tellProblem(file.path, { code: file.problem });
        return;
      }
      this.#problems.delete(file.path);
      if (found.kind === 'packed') file.packed = true;
      else if (found.kind === 'refused') {
        file.state = 'refused';
        told.refused(file, found.error);
      } else if (found.kind === 'capture') this.#found(file, found.firstNs);
    } catch (error) {
      this.#tellProblem(file.path, error);
    } finally {
      if (file.state === 'waiting') await file.closeUnlessRoom();
      else await file.close();
    }
  }

  #found(file: FollowedFile, firstNs: bigint): void {
    file.firstNs = firstNs;
    const plain = file.path.replace(PACKED_ENDING, '');
    if (file.packed && this.#readBefore.has(`${plain} ${firstNs}`)) {
      file.state = 'copy';
      this.#options.told.copy(file);
      return;
    }
    file.state = 'waiting';
  }
}

function hasCopy(path: string, paths: ReadonlyMap<string, number>): boolean {
  return ['.gz', '.zst', '.zstd'].some((ending) => paths.has(path + ending));
}
