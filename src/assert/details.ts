import { sanitise } from '../report/terminal-text.ts';
import { counted, formatCount } from '../report/units.ts';
import { brokenWords, measuredWords } from './group-check.ts';
import type { GroupResult, RuleResult } from './result.ts';

/** Fields whose values say what they are. */
const BARE = new Set(['method', 'host', 'route', 'path', 'outcome']);

/** `GET api.test /users/{id}`, `status=200`; what is not there is an en dash. Safe for a terminal. */
export function groupWords({ name }: GroupResult, { rule }: RuleResult): string {
  return name
    .map((part, index) => {
      const value = part === null ? '–' : sanitise(part);
      const field = rule.by[index].name;
      return BARE.has(field) ? value : `${field}=${value}`;
    })
    .join(' ');
}

/** What is to be known of a failed rule beyond its summary, a line each. Safe for a terminal. */
export function detailLines(result: RuleResult): string[] {
  const lines = result.offenders.map(({ id, text }) => `#${id} ${sanitise(text)}`);
  const more = result.offending - result.offenders.length;
  if (more > 0) lines.push(`and ${counted(more, 'more exchange', 'more exchanges')}`);
  const failed = result.groups.filter(({ passed }) => !passed);
  for (const group of failed) {
    const words = sanitise(brokenWords(group.measured));
    lines.push(`${groupWords(group, result)}: ${words} (${counted(group.selected, 'exchange')})`);
  }
  const moreGroups = result.groupsFailed - failed.length;
  if (moreGroups > 0) lines.push(`and ${counted(moreGroups, 'more group', 'more groups')}`);
  if (result.measured.length > 0 && result.measured.some(({ broken }) => broken.length === 0))
    lines.push(
      `measured: ${sanitise(measuredWords(result.measured))} (${counted(result.selected, 'exchange')})`,
    );
  return lines;
}

/** `selected 1,203 exchanges` */
export function selectedWords({ selected }: RuleResult): string {
  return `selected ${formatCount(selected)} exchange${selected === 1 ? '' : 's'}`;
}
