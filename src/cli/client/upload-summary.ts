import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes, formatCount } from '../../report/units.ts';
import type { BatchSender } from './batch-sender.ts';
import type { UploadSink } from './upload-sink.ts';

/** What became of an upload that came to its end, for people. `batches`: those that were sent. */
export function summaryLines(
  sink: UploadSink,
  sender: BatchSender,
  { batches, url, agent }: { batches: number; url: string; agent: string },
): string[] {
  const { exchanges, skippedRows, valuesLeftOut } = sink;
  if (exchanges === 0) return ['there are no exchanges in it; nothing was uploaded'];
  const lines: string[] = [];
  const before = skippedRows + sender.repeatedRows;
  if (before === exchanges) {
    lines.push(`nothing new: all ${counted(exchanges, 'exchange')} are at ${url} already`);
  } else {
    const parts = [`${formatCount(sender.stored)} new`];
    if (sender.joined > 0) parts.push(`${formatCount(sender.joined)} seen by other agents too`);
    if (sender.lateRows > 0) parts.push(`${formatCount(sender.lateRows)} arrived though the answer was lost`);
    if (before > 0) parts.push(`${formatCount(before)} there already`);
    lines.push(
      `uploaded ${counted(exchanges - skippedRows, 'exchange')} to ${url} as ${sanitise(agent)}: ${parts.join(', ')} ` +
        `(${counted(batches, 'batch', 'batches')}, ${formatBytes(sender.bytes)})`,
    );
  }
  if (valuesLeftOut > 0)
    lines.push(`${counted(valuesLeftOut, 'value')} too long or out of range for a batch, left out`);
  return lines;
}

/** What an upload would be. */
export function dryText(
  { sink, batches, bytes }: { sink: UploadSink; batches: number; bytes: number },
  stream: string,
  agent: string,
): string {
  const what = `${counted(sink.exchanges, 'exchange')} in ${counted(batches, 'batch', 'batches')}`;
  return `would upload ${what} (${formatBytes(bytes)}) as ${sanitise(agent)}, stream ${stream}`;
}
