import { ConnectionCensus } from '../../doctor/connection-census.ts';
import { diagnose } from '../../doctor/diagnose.ts';
import type { Severity } from '../../doctor/finding.ts';
import { PacketCensus } from '../../doctor/packet-census.ts';
import { recapture } from '../../doctor/recapture.ts';
import { doctorJson } from '../../doctor/report-json.ts';
import { type DoctorReport, doctorText } from '../../doctor/report-text.ts';
import { EXIT } from '../../model/errors.ts';
import { type ReadingFlags, readExchanges } from '../reading.ts';
import { writeAll } from '../stream-output.ts';
import { chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Options of `wirelens doctor` as the command line gives them. */
export interface DoctorFlags extends ReadingFlags {
  readonly format: 'text' | 'json';
  readonly failOn: Severity | 'never';
}

const PIPED_WIDTH = 100;
const SEVERITIES: readonly Severity[] = ['note', 'warning', 'problem'];

/**
 * Prints what is wrong with captures and how to take better ones.
 *
 * @returns the exit code
 * @throws UserError when the input cannot be used
 */
export async function doctor(files: readonly string[], flags: DoctorFlags, version: string): Promise<number> {
  const connections = new ConnectionCensus();
  const packets = new PacketCensus();
  const run = await readExchanges(files, flags, version, () => [connections], { onPacket: packets.onPacket });
  const evidence = { run, connections, packets: run.fromStore ? null : packets };
  const findings = diagnose(evidence);
  const report: DoctorReport = { evidence, findings, recapture: recapture(evidence, findings) };
  const terminal = terminalFacts();
  const text =
    flags.format === 'json'
      ? `${doctorJson(report)}\n`
      : doctorText(report, chooseWidth(terminal, PIPED_WIDTH), chooseStyle(flags.color, terminal));
  await writeAll(text);
  if (flags.failOn === 'never') return EXIT.fine;
  const least = SEVERITIES.indexOf(flags.failOn);
  return findings.some(({ severity }) => SEVERITIES.indexOf(severity) >= least) ? EXIT.found : EXIT.fine;
}
