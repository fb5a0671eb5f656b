import type { Style } from '../report/style.ts';
import { sanitise } from '../report/terminal-text.ts';
import { counted, formatCount } from '../report/units.ts';
import { detailLines } from './details.ts';
import type { RuleResult } from './result.ts';
import { isWarning, tallyOf } from './tally.ts';

/** Every rule with what came out, and a line of totals. */
export function assertText(results: readonly RuleResult[], exchanges: number, style: Style): string {
  const lines: string[] = [];
  for (const result of results) {
    const { rule, status, summary } = result;
    const name = style.bold(sanitise(rule.name));
    const words = sanitise(summary);
    if (status === 'passed') {
      lines.push(`${style.green('✓')} ${name}  ${style.dim(words)}`);
      continue;
    }
    lines.push(`${isWarning(result) ? style.yellow('!') : style.red('✗')} ${name}  ${words}`);
    for (const line of detailLines(result)) lines.push(`    ${line}`);
  }
  lines.push('', totals(results, exchanges, style));
  return `${lines.join('\n')}\n`;
}

function totals(results: readonly RuleResult[], exchanges: number, style: Style): string {
  const { rules, passed, failed, warnings } = tallyOf(results);
  const parts = [`${formatCount(passed)} passed`];
  if (failed > 0) parts.push(style.red(`${formatCount(failed)} failed`));
  if (warnings > 0) parts.push(style.yellow(counted(warnings, 'warning')));
  return `${counted(rules, 'rule')} on ${counted(exchanges, 'exchange')}: ${parts.join(', ')}`;
}
