import { createEventLog, type EventLog } from '../../metrics/event-log.ts';
import type { AgentSettings } from './agent-settings.ts';

/** The agent's log on standard error: JSON lines, or text where people read it. */
export function openAgentLog({
  logFormat,
  logLevel,
}: Pick<AgentSettings, 'logFormat' | 'logLevel'>): EventLog {
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stderr.isTTY === true);
  return createEventLog({
    level: logLevel,
    format: text ? 'text' : 'json',
    name: 'agent',
    write: (line) => process.stderr.write(line),
  });
}
