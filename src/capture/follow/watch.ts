import * as fs from 'node:fs';

/** What the file system says of a path, symbolic links followed. */
export interface FileFacts {
  /** Device and inode: the same under another name. A number may be used again after a deletion. */
  readonly id: string;
  readonly bytes: number;
  /** Changes whenever the content may have changed. */
  readonly stamp: string;
  readonly kind: 'file' | 'directory' | 'other';
}

/** An open file. Methods reject with errors that have a `code`, as those of node:fs. */
export interface OpenedFile {
  /** Reads up to `length` bytes at `position`; 0: nothing is there now. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  facts(): Promise<FileFacts>;
  close(): Promise<void>;
}

/**
 * The file system and the time, as following files needs them; tests bring their own. Listing and looking are the
 * truth; being told of changes only shortens `wait`, because not every file system tells.
 */
export interface FileWatch {
  /** Names in a directory, in any order. Rejects with an error that has a `code`. */
  list(directory: string): Promise<string[]>;
  /** null: nothing is there. Rejects when it cannot be looked at. */
  facts(path: string): Promise<FileFacts | null>;
  open(path: string): Promise<OpenedFile>;
  /** Changes in this directory end a `wait` early, where the system tells of them. */
  heed(directory: string): void;
  /** Resolves after `ms` of time, or earlier when something changed or `wake` was called. */
  wait(ms: number): Promise<void>;
  wake(): void;
  /** A clock that never goes back. */
  nowMs(): number;
  close(): void;
}

/** Shortest pause between two looks, so that a file that is written all the time does not take a whole processor. */
const SHORTEST_WAIT_MS = 25;
/** Directories that the system is asked to tell about; further ones are only looked at. */
const MOST_WATCHERS = 64;

/** The real file system, with fs.watch where it works. */
export function nodeFileWatch(): FileWatch {
  return new NodeFileWatch();
}

class NodeFileWatch implements FileWatch {
  readonly #watchers = new Map<string, fs.FSWatcher | null>();
  #changed = false;
  #woken = false;
  #ring: (() => void) | null = null;

  list(directory: string): Promise<string[]> {
    return fs.promises.readdir(directory);
  }

  async facts(path: string): Promise<FileFacts | null> {
    try {
      return factsOf(await fs.promises.stat(path, { bigint: true }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw error;
    }
  }

  async open(path: string): Promise<OpenedFile> {
    const handle = await fs.promises.open(path, 'r');
    return {
      read: async (target, offset, length, position) =>
        (await handle.read(target, offset, length, position)).bytesRead,
      facts: async () => factsOf(await handle.stat({ bigint: true })),
      close: () => handle.close(),
    };
  }

  heed(directory: string): void {
    if (this.#watchers.has(directory) || this.#watchers.size >= MOST_WATCHERS) return;
    let watcher: fs.FSWatcher | null = null;
    try {
      watcher = fs.watch(directory, { persistent: false }, () => this.#change());
      // Its directory has gone, or the system has no watches left: from now on it is only looked at.
      watcher.on('error', () => {
        watcher?.close();
        this.#watchers.set(directory, null);
      });
    } catch {
      // The same.
    }
    this.#watchers.set(directory, watcher);
  }

  async wait(ms: number): Promise<void> {
    const shortest = Math.min(ms, SHORTEST_WAIT_MS);
    if (!this.#woken) await this.#pause(shortest, () => this.#woken);
    if (!this.#woken && !this.#changed && ms > shortest) {
      await this.#pause(ms - shortest, () => this.#woken || this.#changed);
    }
    this.#changed = false;
    this.#woken = false;
  }

  /** Resolves after `ms`, or when something rings and `enough` holds. */
  #pause(ms: number, enough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#ring = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#ring = () => {
        if (enough()) done();
      };
    });
  }

  #change(): void {
    this.#changed = true;
    this.#ring?.();
  }

  wake(): void {
    this.#woken = true;
    this.#ring?.();
  }

  nowMs(): number {
    return performance.now();
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher?.close();
    this.wake();
  }
}

function factsOf(stat: fs.BigIntStats): FileFacts {
  return {
    id: `${stat.dev}:${stat.ino}`,
    bytes: Number(stat.size),
    stamp: `${stat.mtimeNs}`,
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other',
  };
}
