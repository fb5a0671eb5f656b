import type { RedactionRules } from './rules.ts';

/** `eth0`, `any`, `wlan0.100`: names that systems give. Others may be somebody's. */
const SYSTEM_INTERFACE =
  /^(?:any|lo\d?|(?:eth|en|em|wlan|wl|bond|br|tun|tap|ppp|vlan|docker|team|utun|awdl|bridge)\d{0,4}|en[ops]\d{1,3}[a-z0-9]{0,6})(?:\.\d{1,4})?$/;

/** The name of a capture interface as it may be shown. */
export function redactedInterfaceName(name: string | null, rules: RedactionRules): string | null {
  if (name === null || SYSTEM_INTERFACE.test(name)) return name;
  rules.replaced.add('interface names');
  return rules.mask(Buffer.from(name).toString('latin1'));
}
