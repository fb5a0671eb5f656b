import type { Anomaly } from '../../model/anomaly.ts';
import type { HeaderField } from '../../model/exchange.ts';
import { type BodyFraming, framingByFields } from './body-framing.ts';

const NO_FIELDS: readonly HeaderField[] = Object.freeze([]);
const NO_ANOMALIES: readonly Anomaly[] = Object.freeze([]);

/** What the header section of a message says; shared by all messages that have the same one. */
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
  /** Allow-listed fields. */
  kept: readonly HeaderField[] = NO_FIELDS;
  anomalies: readonly Anomaly[] = NO_ANOMALIES;
  #ofRequest: BodyFraming | null = null;
  #ofResponse: BodyFraming | null = null;

  keep(field: HeaderField): void {
    if (this.kept === NO_FIELDS) this.kept = [field];
    else (this.kept as HeaderField[]).push(field);
  }

  note(anomaly: Anomaly): void {
    this.anomalies = withAnomaly(this.anomalies, anomaly);
  }

  /** The framing that the fields alone ask for; see bodyFraming. */
  framing(isResponse: boolean): BodyFraming {
    if (isResponse) {
      this.#ofResponse ??= framingByFields(this, true);
      return this.#ofResponse;
    }
    this.#ofRequest ??= framingByFields(this, false);
    return this.#ofRequest;
  }
}

/** The list with `anomaly` in it; a new list where it was not. */
export function withAnomaly(anomalies: readonly Anomaly[], anomaly: Anomaly): readonly Anomaly[] {
  return anomalies.includes(anomaly) ? anomalies : [...anomalies, anomaly];
}
