import { existsSync } from 'node:fs';
import { EXIT, UserError } from '../model/errors.ts';
import { Ledger } from '../model/ledger.ts';
import type { CaptureFacts } from '../model/packet.ts';
import type { Engine } from './engine.ts';
import { joinIntervals } from './interval-facts.ts';
import { partPath } from './output-file.ts';
import { damagedStore, readingStore, StoreFile } from './store-file.ts';
import { addLedger, storedCaptures, storedLedger } from './stored-facts.ts';

/** What is put before the numbers and times of one run when several are read as if they were one. */
export interface Placement {
  /** Unix time of the common epoch, µs. */
  readonly epochUs: number;
  readonly exchangesBefore: number;
  readonly connectionsBefore: number;
  readonly capturesBefore: number;
  readonly interfacesBefore: number;
}

/** One run of `analyze`: a file, or the parts of one that was rolled over, in order. */
export interface StoredRun {
  readonly parts: readonly StoredPart[];
  /** null: the run had no packet. */
  readonly epochSeconds: number | null;
}

/** What a file says about itself. */
export interface StoredPart {
  readonly path: string;
  /** 1-based. */
  readonly part: number;
  readonly moreFollow: boolean;
  readonly epochSeconds: number | null;
  /** Shared by the files of a live run, each of which stands on its own; null: it is a part like any other. */
  readonly run: string | null;
  /** Header fields kept; null: not known. */
  readonly keptHeaders: ReadonlySet<string> | null;
  /** Largest number in it; 0: none. */
  readonly lastExchange: number;
  readonly lastConnection: number;
  /** Only the last part of a run has them, or each its own; times are those of its own run. */
  readonly captures: readonly CaptureFacts[];
  readonly ledger: Ledger;
}

/** Everything that is known before the first exchange is read. */
export interface StoredInput {
  readonly runs: readonly { readonly run: StoredRun; readonly placement: Placement }[];
  /** The earliest epoch. */
  readonly epochSeconds: number | null;
  readonly captures: CaptureFacts[];
  readonly ledger: Ledger;
  /** The largest exchange number that will be given out; with gaps, more than there are exchanges. */
  readonly lastExchange: number;
}

/**
 * Files that are opened by path, one at a time: SQLite's memory cannot hold many. The one opened last stays open.
 */
export class StoreFiles {
  readonly #engine: Engine;
  #current: StoreFile | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  open(path: string): StoreFile {
    if (this.#current?.path === path) return this.#current;
    this.close();
    this.#current = new StoreFile(this.#engine, path);
    return this.#current;
  }

  close(): void {
    this.#current?.close();
    this.#current = null;
  }
}

/** Finds out what the files hold and how their numbers go together. Throws UserError. */
export function findStoredInput(files: StoreFiles, paths: readonly string[]): StoredInput {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new UserError('named-twice', `${twice} is named twice`, {
      hint: 'name each file once',
      exitCode: EXIT.usage,
    });
  }
  const runs = joinParts(
    files,
    paths.map((path) => partOf(files, path)),
  );
  const epochs = runs.map((run) => run.epochSeconds).filter((epoch) => epoch !== null);
  const epochSeconds = epochs.length === 0 ? null : epochs.reduce((one, other) => Math.min(one, other));
  const epochUs = (epochSeconds ?? 0) * 1e6;
  const captures: CaptureFacts[] = [];
  const ledger = new Ledger();
  const placed: { run: StoredRun; placement: Placement }[] = [];
  let exchanges = 0;
  let connections = 0;
  let interfaces = 0;
  for (const run of runs) {
    const placement = {
      epochUs,
      exchangesBefore: exchanges,
      connectionsBefore: connections,
      capturesBefore: captures.length,
      interfacesBefore: interfaces,
    };
    placed.push({ run, placement });
    for (const part of run.parts) {
      exchanges = Math.max(exchanges, placement.exchangesBefore + part.lastExchange);
      connections = Math.max(connections, placement.connectionsBefore + part.lastConnection);
    }
    const shiftNs = run.epochSeconds === null ? 0 : (run.epochSeconds - (epochSeconds ?? 0)) * 1e9;
    for (const part of run.parts) addLedger(ledger, part.ledger);
    for (const capture of joinIntervals(run.parts.map((part) => part.captures))) {
      if (capture.firstNs !== null) capture.firstNs += shiftNs;
      if (capture.lastNs !== null) capture.lastNs += shiftNs;
      for (const one of capture.interfaces) {
        one.number += placement.interfacesBefore;
        interfaces = Math.max(interfaces, one.number + 1);
      }
      captures.push(capture);
    }
  }
  return { runs: placed, epochSeconds, captures, ledger, lastExchange: exchanges };
}

function partOf(files: StoreFiles, path: string): StoredPart {
  const file = files.open(path);
  return readingStore(path, () => {
    const { meta, database } = file;
    const whole = (name: string): number => {
      const value = Number(meta.get(name) ?? Number.NaN);
      if (Number.isSafeInteger(value) && Math.abs(value) < 1e12) return value;
      throw damagedStore(path, `meta has no sensible ${name}`);
    };
    const last = (table: string): number => {
      const [[id]] = database.rows(`SELECT max(id) FROM ${table}`);
      if (id !== null && !(Number.isSafeInteger(id) && Number(id) >= 0))
        throw damagedStore(path, `a number in ${table} makes no sense`);
      return Number(id);
    };
    const kept = meta.get('kept_headers') ?? null;
    const epochSeconds = (meta.get('epoch_seconds') ?? null) === null ? null : whole('epoch_seconds');
    return {
      path,
      part: whole('part'),
      moreFollow: meta.get('more_follow') === 'yes',
      run: meta.get('run') ?? null,
      epochSeconds,
      keptHeaders: kept === null ? null : new Set(kept.split(',')),
      lastExchange: last('exchange_rows'),
      lastConnection: last('connections'),
      captures: storedCaptures(file, (epochSeconds ?? 0) * 1e6),
      ledger: storedLedger(file),
    };
  });
}

/** Puts the parts of rolled-over files together, in whatever order they were named; parts not named are looked for. */
function joinParts(files: StoreFiles, named: readonly StoredPart[]): StoredRun[] {
  const later = named.filter(({ part, run }) => run === null && part !== 1);
  const runs: StoredRun[] = [];
  for (const first of named) {
    if (first.run !== null) {
      const parts = ofOneRun(named, first);
      if (parts[0] === first) runs.push({ parts, epochSeconds: first.epochSeconds });
      continue;
    }
    if (first.part !== 1) continue;
    const parts = [first];
    for (let last = first; last.moreFollow; last = parts[parts.length - 1]) {
      parts.push(nextPart(files, first, last, later));
    }
    runs.push({ parts, epochSeconds: first.epochSeconds });
  }
  const [lost] = later;
  if (lost === undefined) return runs;
  throw new UserError(
    'part-without-beginning',
    `this is part ${lost.part} of a run whose part 1 is not named`,
    {
      place: { file: lost.path },
      hint: 'name the first file of the run, without -2, -3 …; the others are found beside it',
    },
  );
}

/** Files of a live run, in order. Some may be missing: a crash takes the last, and old ones are deleted. */
function ofOneRun(named: readonly StoredPart[], { run }: StoredPart): StoredPart[] {
  const parts = named.filter((one) => one.run === run).sort((a, b) => a.part - b.part);
  const index = parts.findIndex((one, at) => parts[at + 1]?.part === one.part);
  if (index < 0) return parts;
  throw new UserError(
    'named-twice',
    `${parts[index].path} and ${parts[index + 1].path} are the same part of a run`,
    {
      hint: 'name one of them',
      exitCode: EXIT.usage,
    },
  );
}

function nextPart(files: StoreFiles, first: StoredPart, last: StoredPart, later: StoredPart[]): StoredPart {
  const wanted = last.part + 1;
  const path = partPath(first.path, wanted);
  const fits = (one: StoredPart): boolean =>
    one.part === wanted &&
    one.epochSeconds === first.epochSeconds &&
    (one.lastExchange === 0 || one.lastExchange > last.lastExchange);
  const index = later.findIndex((one) => one.path === path && fits(one));
  const place = index >= 0 ? index : later.findIndex(fits);
  if (place >= 0) return later.splice(place, 1)[0];
  if (!existsSync(path)) {
    throw new UserError('part-missing', `the run goes on in part ${wanted}, and ${path} is not there`, {
      place: { file: last.path },
      hint: 'put it beside the first part, or name it as well',
    });
  }
  const found = partOf(files, path);
  if (fits(found)) return found;
  throw new UserError('part-of-another-run', `this is not part ${wanted} of the run in ${first.path}`, {
    place: { file: path },
    hint: 'put the right file in its place, or name it as well',
  });
}
