import { canonicalAddress } from './canonical-address.ts';

const ENDPOINT = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})$/;
const LARGEST_PORT = 65_535;

/** Address and port of `10.0.0.1:80` or `[2001:db8::1]:80`; null: it is neither. */
export function splitEndpoint(text: string): { readonly address: string; readonly port: number } | null {
  const found = ENDPOINT.exec(text);
  if (found === null) return null;
  const address = canonicalAddress(found[1] ?? found[2]);
  const port = Number(found[3]);
  return address === null || port > LARGEST_PORT ? null : { address, port };
}
