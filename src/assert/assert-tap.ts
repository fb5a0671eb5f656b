import { sanitise } from '../report/terminal-text.ts';
import { detailLines } from './details.ts';
import type { RuleResult } from './result.ts';
import { isWarning } from './tally.ts';

/** A description: `#` begins a directive, so it is escaped, as is the backslash (TAP 14, "Escaping"). */
function description(text: string): string {
  return sanitise(text).replace(/[\\#]/g, (character) => `\\${character}`);
}

/** A text as a double-quoted YAML scalar; JSON's strings are a subset of those. */
function quoted(text: string): string {
  return JSON.stringify(sanitise(text));
}

/**
 * TAP version 14, a test point for each rule; failures have a YAML block. A rule that is only a warning is a
 * `# TODO`, which harnesses show and do not count as failed.
 */
export function assertTap(results: readonly RuleResult[]): string {
  const lines = ['TAP version 14', `1..${results.length}`];
  results.forEach((result, index) => {
    const { rule, status, summary, selected } = result;
    const name = description(rule.name);
    const directive = isWarning(result) ? ' # TODO warning' : '';
    lines.push(`${status === 'passed' ? 'ok' : 'not ok'} ${index + 1} - ${name}${directive}`);
    if (status === 'passed') return;
    lines.push('  ---', `  message: ${quoted(summary)}`);
    lines.push(
      `  severity: ${rule.severity === 'warning' ? 'warning' : 'fail'}`,
      `  line: ${rule.line}`,
      `  selected: ${selected}`,
    );
    const details = detailLines(result);
    if (details.length > 0) lines.push('  details:', ...details.map((line) => `    - ${quoted(line)}`));
    lines.push('  ...');
  });
  return `${lines.join('\n')}\n`;
}
