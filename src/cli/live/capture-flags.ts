import { EXIT, UserError } from '../../model/errors.ts';
import type { RowFlags } from '../row-sink.ts';
import type { LiveFlags } from './live-flags.ts';
import type { RotateWords } from './live-option-values.ts';

/** Options of `wirelens capture` as the command line gives them. Sizes in bytes, durations in ns. */
export interface CaptureFlags extends LiveFlags, Pick<RowFlags, 'limit' | 'slow'> {
  readonly listInterfaces?: boolean;
  /** -d. */
  readonly dumpFilter?: boolean;
  readonly format?: RowFlags['format'];
  readonly pending?: number;
  readonly watch?: boolean;
  /** -w, -C, -G (seconds), -W. */
  readonly write?: string;
  readonly fileSize?: number;
  readonly fileSeconds?: number;
  readonly fileCount?: number;
  readonly output?: string;
  readonly rotate?: RotateWords;
  readonly force?: boolean;
}

/** @throws UserError (usage) for options that do not go together */
export function checkCaptureFlags(flags: CaptureFlags): void {
  const { write, output } = flags;
  const recording = [
    [flags.fileSize, '-C'],
    [flags.fileSeconds, '-G'],
    [flags.fileCount, '-W'],
  ] as const;
  const about = recording.find(([value]) => value !== undefined);
  if (write === undefined && about !== undefined)
    throw usage(`${about[1]} is about the files of -w`, 'add -w FILE');
  if (output === undefined && flags.rotate !== undefined)
    throw usage(
      '--rotate is about the file of --output',
      'add -o FILE.sqlite; packets rotate with -C and -G',
    );
  if (write === undefined && output === undefined && flags.force === true)
    throw usage('--force is about the files of -w and -o', 'add -w FILE or -o FILE.sqlite');
  if (write === '-' && (flags.format !== undefined || flags.watch === true)) {
    throw usage('-w - puts packets on standard output, where exchanges would go', 'name a file with -w');
  }
  const whole = [
    [write, '-w'],
    [flags.pending, '--pending'],
  ] as const;
  const needsPackets = whole.find(([value]) => value !== undefined);
  if (flags.workers !== undefined && needsPackets !== undefined)
    throw usage(
      `${needsPackets[1]} needs all packets in one thread, and --workers divides them`,
      'leave one of them out',
    );
  if (flags.watch === true && flags.format !== undefined && flags.format !== 'table')
    throw usage(`--watch is a table, and --format ${flags.format} is none`, 'leave one of them out');
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}
