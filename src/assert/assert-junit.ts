import { sanitise } from '../report/terminal-text.ts';
import { detailLines, selectedWords } from './details.ts';
import type { RuleResult } from './result.ts';
import { isWarning, tallyOf } from './tally.ts';

/** What XML 1.0 §2.2 does not allow, in any form of escape. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;', '\n': '&#10;', '\r': '&#13;', '\t': '&#9;' }; // biome-ignore format: a table

/** Text for XML, in an attribute or between tags. What XML cannot hold is shown as `\x01`. */
export function xmlText(text: string): string {
  return text
    .replace(FORBIDDEN, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
    })
    .replace(/[&<>"'\n\r\t]/g, (character) => ENTITIES[character]);
}

/**
 * JUnit's XML as CI servers read it: a suite for the file of rules, a case for each rule. A rule that is only a
 * warning is `skipped` with the reason, for the format knows nothing between passed and failed.
 */
export function assertJunit(results: readonly RuleResult[], rulesFile: string, seconds: number): string {
  const { rules, failed, warnings } = tallyOf(results);
  const counts = `tests="${rules}" failures="${failed}" errors="0" skipped="${warnings}" time="${seconds.toFixed(3)}"`;
  const suite = xmlText(sanitise(rulesFile));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="wirelens assert" ${counts}>`,
    `  <testsuite name="${suite}" ${counts}>`,
  ];
  for (const result of results) {
    const { rule, status, summary } = result;
    const attributes = `name="${xmlText(sanitise(rule.name))}" classname="${suite}" file="${suite}" line="${rule.line}" time="0"`;
    const message = xmlText(sanitise(summary));
    lines.push(`    <testcase ${attributes}>`);
    if (status === 'failed') {
      const details = [summary, selectedWords(result), ...detailLines(result)].map((line) =>
        xmlText(sanitise(line)),
      );
      if (isWarning(result)) {
        lines.push(`      <skipped message="warning: ${message}"/>`);
        lines.push(`      <system-out>${details.join('\n')}</system-out>`);
      } else {
        lines.push(
          `      <failure message="${message}" type="${rule.demand.kind}">${details.join('\n')}</failure>`,
        );
      }
    } else {
      lines.push(`      <system-out>${message}</system-out>`);
    }
    lines.push('    </testcase>');
  }
  lines.push('  </testsuite>', '</testsuites>');
  return `${lines.join('\n')}\n`;
}
