import type { FileFacts, FileWatch, OpenedFile } from '../src/capture/follow/watch.ts';

interface Content {
  id: string;
  bytes: Uint8Array;
  stamp: number;
  forbidden: boolean;
}

/**
 * Files and a clock in memory. Time passes only while somebody waits, and with every wait the next step of the
 * script happens: what a recorder would do meanwhile.
 */
export class FakeFiles implements FileWatch {
  readonly #files = new Map<string, Content>();
  #steps: (() => void)[] = [];
  #inode = 0;
  #clockMs = 0;
  /** Files that are open now. */
  openCount = 0;
  waits = 0;
  /** Names that are still listed although their files are gone, as happens between listing and looking. */
  readonly stale = new Set<string>();
  closed = false;

  /** Adds steps; each happens in a wait of its own. */
  script(...steps: (() => void)[]): this {
    this.#steps.push(...steps);
    return this;
  }

  get stepsLeft(): number {
    return this.#steps.length;
  }

  append(path: string, bytes: Uint8Array): void {
    const content = this.#files.get(path) ?? this.#create(path);
    const longer = new Uint8Array(content.bytes.length + bytes.length);
    longer.set(content.bytes);
    longer.set(bytes, content.bytes.length);
    content.bytes = longer;
    content.stamp++;
  }

  /** Writes the file anew in place, as fopen(…, "w") does. */
  overwrite(path: string, bytes: Uint8Array): void {
    const content = this.#files.get(path) ?? this.#create(path);
    content.bytes = bytes.slice();
    content.stamp++;
  }

  /** Puts another file under the name. */
  replace(path: string, bytes: Uint8Array): void {
    this.#create(path).bytes = bytes.slice();
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#files.get(from) as Content);
    this.#files.delete(from);
  }

  forbid(path: string, forbidden: boolean): void {
    (this.#files.get(path) as Content).forbidden = forbidden;
  }

  #create(path: string): Content {
    const content = {
      id: `0:${++this.#inode}`,
      bytes: new Uint8Array(0),
      stamp: this.#clockMs,
      forbidden: false,
    };
    this.#files.set(path, content);
    return content;
  }

  async list(directory: string): Promise<string[]> {
    const prefix = directory === '.' ? '' : `${directory}/`;
    return [...this.#files.keys(), ...this.stale]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
  }

  async facts(path: string): Promise<FileFacts | null> {
    const content = this.#files.get(path);
    if (content !== undefined) return factsOf(content);
    const isDirectory = [...this.#files.keys()].some((one) => one.startsWith(`${path}/`));
    return isDirectory ? { id: `dir ${path}`, bytes: 0, stamp: '0', kind: 'directory' } : null;
  }

  async open(path: string): Promise<OpenedFile> {
    const content = this.#files.get(path);
    if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    if (content.forbidden) throw Object.assign(new Error('forbidden'), { code: 'EACCES' });
    this.openCount++;
    return {
      read: async (target, offset, length, position) => {
        const piece = content.bytes.subarray(position, position + length);
        target.set(piece, offset);
        return piece.length;
      },
      facts: async () => factsOf(content),
      close: async () => {
        this.openCount--;
      },
    };
  }

  heed(): void {}

  async wait(ms: number): Promise<void> {
    this.waits++;
    this.#clockMs += ms;
    this.#steps.shift()?.();
    if (this.waits > 100_000) throw new Error('waits without an end');
  }

  wake(): void {}

  nowMs(): number {
    return this.#clockMs;
  }

  close(): void {
    this.closed = true;
  }
}

function factsOf({ id, bytes, stamp }: Content): FileFacts {
  return { id, bytes: bytes.length, stamp: String(stamp), kind: 'file' };
}
