import { aboutContents, aboutFiles } from './about-files.ts';
import { aboutClocks, aboutHost } from './about-host.ts';
import { aboutConnections, aboutDecoding, aboutLosses, aboutProtocols } from './about-traffic.ts';
import type { Add, Evidence } from './evidence.ts';
import { FINDING_CODES, type Finding } from './finding.ts';

/** What is to be said about a capture, worst first. */
export function diagnose(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  const add: Add = (code, severity, what, effect, advice = null) => {
    if (severity !== null) findings.push({ code, severity, what, effect, advice });
  };
  aboutFiles(evidence, add);
  aboutContents(evidence, add);
  aboutLosses(evidence, add);
  aboutConnections(evidence, add);
  if (evidence.packets !== null) {
    aboutClocks(evidence.run, evidence.packets, add);
    aboutHost(evidence.packets, evidence.run, add);
  }
  aboutProtocols(evidence, add);
  aboutDecoding(evidence, add);
  const rank = { problem: 0, warning: 1, note: 2 };
  return findings.sort(
    (a, b) =>
      rank[a.severity] - rank[b.severity] || FINDING_CODES.indexOf(a.code) - FINDING_CODES.indexOf(b.code),
  );
}
