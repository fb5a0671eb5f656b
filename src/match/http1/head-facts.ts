import type { Anomaly } from '../../model/anomaly.ts';
import type { HeaderField } from '../../model/exchange.ts';
import { type BodyFraming, bodyFraming } from './body-framing.ts';

const NO_FIELDS: readonly HeaderField[] = Object.freeze([]);
const NO_ANOMALIES: readonly Anomaly[] = Object.freeze([]);

/** What the header section of a message says. Shared by all messages that have the same one. */
export class FieldFacts {
  host: string | null = null;
  userAgent: string | null = null;
  /** Content-Type without parameters, lower case. */
  mediaType: string | null = null;
  /** -1: absent. */
  contentLength = -1;
  badContentLength = false;
  hasTransferEncoding = false;
  /** The last transfer coding is chunked. */
  chunked = false;
  upgrade: string | null = null;
  expectContinue = false;
  /** Allow-listed fields. */
  kept: readonly HeaderField[] = NO_FIELDS;
  anomalies: readonly Anomaly[] = NO_ANOMALIES;

  keep(field: HeaderField): void {
    if (this.kept === NO_FIELDS) this.kept = [field];
    else (this.kept as HeaderField[]).push(field);
  }

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }
}

/** What the head of a message says; immutable once it was read, and shared by messages with equal heads. */
export class HeadFacts {
  readonly isResponse: boolean;
  method = '';
  /** As sent. */
  target = '';
  /** With credentials masked, unless they are to be shown. */
  shownTarget = '';
  /** As sent, without `HTTP/`; `0.9` where a request has none. */
  version = '1.1';
  status = 0;
  reason = '';
  fields: FieldFacts;
  anomalies: readonly Anomaly[] = NO_ANOMALIES;
  #framing: BodyFraming | null = null;

  constructor(isResponse: boolean, fields: FieldFacts) {
    this.isResponse = isResponse;
    this.fields = fields;
  }

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }

  /** How the body is framed; `requestMethod` as in bodyFraming. */
  framing(requestMethod: string | null): BodyFraming {
    if (requestMethod === 'HEAD' || requestMethod === 'CONNECT') return bodyFraming(this, requestMethod);
    this.#framing ??= bodyFraming(this, null);
    return this.#framing;
  }
}

/** The list with `anomaly` in it; a new list where it was not. */
export function withAnomaly(anomalies: readonly Anomaly[], anomaly: Anomaly): readonly Anomaly[] {
  return anomalies.includes(anomaly) ? anomalies : [...anomalies, anomaly];
}
