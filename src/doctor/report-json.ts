import { jsonText } from '../model/json-text.ts';
import type { DoctorReport } from './report-text.ts';
import { verdictWord } from './report-text.ts';

/** The whole report as one JSON object; `v` is raised when a field goes away or changes its meaning. */
export function doctorJson({ evidence, findings, recapture }: DoctorReport): string {
  const { run, connections, packets } = evidence;
  const { ledger } = run;
  return jsonText(
    {
      v: 1,
      verdict: verdictWord(findings),
      findings,
      better: recapture.commands,
      packets: ledger.packetsRead,
      segments: ledger.segments,
      connections: connections.connections,
      connections_with_payload: connections.withPayload,
      mid_stream: connections.midStream,
      one_sided: connections.oneSided,
      with_gaps: connections.withGaps,
      gap_bytes: ledger.gapBytes,
      cut_bytes: ledger.cutBytes,
      protocols: Object.fromEntries(
        [...connections.protocols].map(([name, census]) => [
          name,
          { connections: census.connections, payload_bytes: census.payloadBytes },
        ]),
      ),
      interfaces:
        packets === null
          ? null
          : [...packets.interfaces.values()].map((one) => ({
              number: one.number,
              packets: one.packets,
              cut: one.cut,
              segments: one.segments,
              duplicates: one.duplicates,
              longest_captured_bytes: one.longestCapturedBytes,
              longest_original_bytes: one.longestOriginalBytes,
            })),
      checksums:
        packets === null ? null : { looked_at: packets.checkedSegments, wrong: packets.wrongChecksums },
    },
    2,
  );
}
