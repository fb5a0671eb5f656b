import { type PcapngSection, PcapngWriter } from '../../export/pcapng-writer.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { CaptureFacts, CaptureInterface, DropReport, Packet, RunClock } from '../../model/packet.ts';
import type { ExchangeSink } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes } from '../../report/units.ts';
import { FileNames } from './recording/file-names.ts';
import { InterfaceCounters } from './recording/interface-counters.ts';
import { OrderedFiles } from './recording/ordered-files.ts';
import { RECORDING_LIMITS, type RecordingLimits } from './recording/recording-limits.ts';
import type { RecordingOutput } from './recording/recording-output.ts';
import { type RotationWords, rotationOf } from './recording/rotation.ts';
import { StandardOutput } from './recording/standard-output.ts';

export interface RecorderOptions {
  /** -w: a file, a pattern of strftime(3) with -G, or `-` for standard output. */
  readonly path: string;
  /** -C, -G, -W. */
  readonly rotation?: RotationWords;
  /** Overwrite what stands under the names that the recording will use. A ring overwrites its own files anyway. */
  readonly force: boolean;
  /** The run's clock and captures, filled while packets come. */
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  /** The time that it is by the packets' clock, whole seconds since 1970; names and -G begin with it. */
  readonly startSeconds: number;
  readonly section: PcapngSection;
  /** What was asked for in tcpdump's language, kept with each interface; null: nothing. */
  readonly filterText: string | null;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /**
   * The recording is over before the capture is: `failure` says why, or its reader has left, or -W files are full
   * (`text` then says so). Called once.
   */
  readonly onEnd: (text: string | null) => void;
  readonly stdout?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly limits?: Partial<RecordingLimits>;
}

/** Records the packets of a run. As a sink it takes no exchanges: it makes the pipeline wait when the disk is behind. */
export interface Recorder extends ExchangeSink {
  /** Takes a packet; its bytes are copied. For Observers.onPacket. */
  packet(packet: Packet): void;
  /** Notes when packets were dropped, so that a replay knows it too. For Observers.onDrops. */
  drops(report: DropReport): void;
  /** Between blocks of packets, and at least a few times a second. `nowNs`: now, ns since the run's epoch; null: not known. */
  tick(nowNs: number | null): void;
  /** Why the recording is not whole; null: it is. */
  readonly failure: UserError | null;
  /** Does not reject when the recording failed, so that everything else is finished too. */
  finish(): Promise<void>;
  /** Files begun, packets and bytes recorded. */
  readonly totals: { readonly files: number; readonly packets: number; readonly bytes: number };
  /** `recorded 1,204 packets in trace.pcapng, 1.2 MB` */
  readonly summary: string;
}

/**
 * Begins a recording: the first file is there, with its header, soon after this returns.
 *
 * Files are complete pcapng captures: a description of each interface that a packet came from, nanoseconds, and the
 * kernel's counters since the file's beginning, every few seconds, wherever packets were dropped, and at its end. Packets go to the file within
 * RecordingLimits.flushMs, so that the file can be followed, and a process that is killed loses no more than that.
 *
 * @throws UserError for options that do not go together, and when a file is in the way
 */
export function createRecorder(options: RecorderOptions): Recorder {
  return new PacketRecorder(options);
}

class PacketRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #limits: RecordingLimits;
  readonly #rotation: ReturnType<typeof rotationOf>;
  readonly #names: FileNames;
  readonly #output: RecordingOutput;
  readonly #counters = new InterfaceCounters();
  readonly #flushMs: number;
  #writer: PcapngWriter;
  /** Number of an interface in the file, by its number in the run. */
  #interfaceIds: number[] = [];
  #firstPath = '';
  #path = '';
  #files = 0;
  #packets = 0;
  #bytesBefore = 0;
  /** When the stretch of -G began, Unix seconds. */
  #sinceSeconds: number;
  /** When the file began, ns since `epochSeconds`. */
  #fileSince: { readonly epochSeconds: number; readonly timeNs: number };
  /** Stretches of -G that are over. */
  #stretches = 0;
  #ended = false;
  #flushedMs: number;
  #countersMs: number;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#limits = { ...RECORDING_LIMITS, ...options.limits };
    const { path, rotation = {}, force, startSeconds, now } = options;
    this.#rotation = rotationOf(path, rotation);
    this.#names = new FileNames(this.#rotation, force, this.#limits.namesRemembered);
    this.#sinceSeconds = startSeconds;
    this.#fileSince = { epochSeconds: startSeconds, timeNs: 0 };
    this.#flushedMs = now();
    this.#countersMs = now();
    if (path === '-') {
      this.#output = this.#standardOutput();
      this.#flushMs = this.#limits.pipeFlushMs;
      this.#writer = this.#begin('-', 'w');
      return;
    }
    const { path: first, overwrite } = this.#names.first(path, startSeconds);
    this.#output = new OrderedFiles((error) => this.#end(error));
    this.#flushMs = this.#limits.flushMs;
    this.#writer = this.#begin(first, overwrite ? 'w' : 'wx');
  }

  #standardOutput(): RecordingOutput {
    const { stdout = process.stdout, rotation = {} } = this.#options;
    const usage = (message: string, hint: string) =>
      new UserError('usage', message, { hint, exitCode: EXIT.usage });
    if (Object.values(rotation).some((value) => value !== undefined))
      throw usage('-w - is one stream, which -C, -G and -W cannot divide', 'name a file with -w');
    if (stdout.isTTY === true)
      throw usage(
        '-w - would print packets on the terminal',
        'pipe it into a program, or name a file with -w',
      );
    return new StandardOutput(stdout, (error) => this.#end(error));
  }

  get failure(): UserError | null {
    return this.#output.failure;
  }

  get totals(): Recorder['totals'] {
    return { files: this.#files, packets: this.#packets, bytes: this.#bytesBefore + this.#writer.bytes };
  }

  get summary(): string {
    const { files, packets, bytes } = this.totals;
    const where =
      this.#firstPath === '-'
        ? 'on standard output'
        : files === 1
          ? `in ${sanitise(this.#firstPath)}`
          : `in ${counted(files, 'file')}, ${sanitise(this.#firstPath)} to ${sanitise(this.#path)}`;
    // What was on its way when the disk gave up is counted, too.
    const most = this.failure === null ? '' : 'at most ';
    return `recorded ${most}${counted(packets, 'packet')} ${where}, ${formatBytes(bytes)}`;
  }

  packet(packet: Packet): void {
    if (this.#ended) return;
    const { fileBytes, seconds } = this.#rotation;
    const epochSeconds = this.#options.clock.epochSeconds ?? 0;
    if (seconds !== null) {
      const unixSeconds = epochSeconds + Math.floor(packet.timeNs / 1e9);
      if (unixSeconds - this.#sinceSeconds >= seconds && !this.#nextStretch(unixSeconds)) return;
    }
    // As tcpdump does: a file is full when it is larger, so that the last packet may exceed the size.
    if (fileBytes !== null && this.#writer.bytes > fileBytes)
      this.#nextFile(false, { epochSeconds, timeNs: packet.timeNs });
    const interfaceId = this.#interfaceIds[packet.interfaceNumber] ?? this.#addInterface(packet);
    this.#record.interfaceId = interfaceId;
    this.#record.epochSeconds = epochSeconds;
    this.#record.timeNs = packet.timeNs;
    this.#record.bytes = packet.bytes;
    this.#record.start = packet.start;
    this.#record.end = packet.end;
    this.#record.originalBytes = packet.originalBytes;
    this.#writer.packet(this.#record);
    this.#packets += 1;
  }

  drops(report: DropReport): void {
    if (this.#ended) return;
    const { interfaceNumber } = report;
    const one = this.#interfaces().find(({ number }) => number === interfaceNumber);
    const id =
      this.#interfaceIds[interfaceNumber] ?? this.#describe(interfaceNumber, one?.linkType ?? 0, one);
    // What was counted before the first packet is reported after it, and the file may have begun in between.
    const before = Math.min(this.#counters.droppedBefore(interfaceNumber), report.droppedBefore);
    this.#writer.drops(id, this.#options.clock.epochSeconds ?? 0, {
      ...report,
      droppedBefore: report.droppedBefore - before,
      dropped: report.dropped - before,
    });
  }

  /** Reused for every packet. */
  readonly #record = {
    interfaceId: 0,
    epochSeconds: 0,
    timeNs: 0,
    bytes: new Uint8Array(0) as Uint8Array,
    start: 0,
    end: 0,
    originalBytes: 0,
  };

  tick(nowNs: number | null): void {
    if (this.#ended) return;
    const { seconds, ends } = this.#rotation;
    const { clock, now } = this.#options;
    if (ends && seconds !== null && nowNs !== null && clock.epochSeconds !== null) {
      // tcpdump waits for a packet to notice; nobody who asked for 60 seconds wants that.
      const unixSeconds = clock.epochSeconds + Math.floor(nowNs / 1e9);
      const isLast = this.#stretches + 1 >= (this.#rotation.count ?? 0);
      if (isLast && unixSeconds - this.#sinceSeconds >= seconds) this.#nextStretch(unixSeconds);
      if (this.#ended) return;
    }
    const ms = now();
    // Without a packet there is no time to note them at.
    if (this.#packets > 0 && ms - this.#countersMs >= this.#limits.countersMs) {
      this.#countersMs = ms;
      this.#noteCounters();
    }
    if (ms - this.#flushedMs < this.#flushMs) return;
    this.#flushedMs = ms;
    this.#writer.flush();
  }

  exchange(): void {}

  connection(): void {}

  drain(): Promise<void> | null {
    const { backlogBytes } = this.#limits;
    // Half of it must be gone before the next packet is taken, so that waiting is not for every block.
    return this.#output.backlogBytes <= backlogBytes ? null : this.#output.below(backlogBytes / 2);
  }

  async finish(): Promise<void> {
    if (!this.#ended) this.#endFile();
    this.#ended = true;
    await this.#output.finish();
  }

  /** What was recorded is whole and stays. */
  abort(): Promise<void> {
    return this.finish();
  }

  /** A stretch of -G is over. False: it was the last. */
  #nextStretch(unixSeconds: number): boolean {
    this.#stretches += 1;
    const { count, ends } = this.#rotation;
    if (ends && count !== null && this.#stretches >= count) {
      this.#endFile();
      this.#ended = true;
      this.#options.onEnd(`-W: ${counted(count, 'file')} recorded, as asked for`);
      return false;
    }
    this.#sinceSeconds = unixSeconds;
    this.#nextFile(true, { epochSeconds: unixSeconds, timeNs: 0 });
    return true;
  }

  #nextFile(newTime: boolean, since: { epochSeconds: number; timeNs: number }): void {
    this.#endFile();
    this.#fileSince = since;
    this.#bytesBefore += this.#writer.bytes;
    const { path, overwrite } = this.#names.next(this.#sinceSeconds, newTime);
    this.#writer = this.#begin(path, overwrite ? 'w' : 'wx');
  }

  #begin(path: string, flags: 'w' | 'wx'): PcapngWriter {
    this.#files += 1;
    if (this.#files === 1) this.#firstPath = path;
    this.#path = path;
    this.#interfaceIds = [];
    this.#counters.begin(this.#interfaces());
    this.#output.begin(path, flags);
    const writer = new PcapngWriter((bytes) => this.#output.write(bytes), this.#options.section);
    // A capture without packets is a capture, and readers see that it has begun.
    writer.flush();
    return writer;
  }

  #endFile(): void {
    this.#noteCounters();
    this.#writer.finish();
  }

  #end(error: UserError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd(error === null ? null : 'the recording has ended, and with it the capture');
  }

  #interfaces(): CaptureInterface[] {
    return this.#options.captures.flatMap(({ interfaces }) => interfaces);
  }

  #addInterface({ interfaceNumber, linkType }: Packet): number {
    const described = this.#interfaces().find(({ number }) => number === interfaceNumber);
    return this.#describe(interfaceNumber, linkType, described);
  }

  #describe(number: number, linkType: number, described: CaptureInterface | undefined): number {
    const { filterText } = this.#options;
    const id = this.#writer.addInterface({
      linkType,
      snaplen: described?.snaplen ?? 0,
      name: described?.name ?? null,
      timeDigits: described?.timeDigits ?? 9,
      ...(filterText === null ? {} : { filter: filterText }),
    });
    this.#interfaceIds[number] = id;
    return id;
  }

  /** Counters of interfaces that packets of this file came from, and of those that lost some. */
  #noteCounters(): void {
    const since = this.#fileSince;
    for (const one of this.#interfaces()) {
      const id = this.#interfaceIds[one.number];
      if (id === undefined && (one.dropped ?? 0) === 0) continue;
      const news = this.#counters.news(one);
      if (news === null || (id === undefined && (news.dropped ?? 0) === 0)) continue;
      this.#writer.statistics(id ?? this.#describe(one.number, one.linkType, one), { ...news, since });
    }
  }
}
