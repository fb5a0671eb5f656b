import type { Anomaly } from '../../model/anomaly.ts';
import { withAnomaly } from './field-facts.ts';

const NO_ANOMALIES: readonly Anomaly[] = Object.freeze([]);

/** What the start line of a message says; shared by all messages that have the same one. */
export class LineFacts {
  readonly isResponse: boolean;
  method = '';
  /** With credentials masked, unless they are to be shown. */
  target = '';
  /** As sent, without `HTTP/`; `0.9` where a request has none. */
  version = '1.1';
  status = 0;
  reason = '';
  anomalies: readonly Anomaly[] = NO_ANOMALIES;

  constructor(isResponse: boolean) {
    this.isResponse = isResponse;
  }

  /**
   * A message of HTTP/0.9: a request is its one line, without a header section, and an answer is its body, without a
   * line (RFC 1945 §4.1, §6).
   */
  isSimple = false;

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }
}
