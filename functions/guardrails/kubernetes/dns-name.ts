/** Characters of a DNS subdomain (RFC 1123; apimachinery, DNS1123SubdomainMaxLength). */
export const LONGEST_SUBDOMAIN = 253;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Whether a text has the letters of a DNS label (RFC 1123), of any length. */
export function hasLabelForm(text: string): boolean {
  return LABEL.test(text);
}

/** Whether a text is a DNS subdomain as the API server validates it, which does not limit its labels to 63 characters. */
export function isSubdomain(text: string): boolean {
  return text.length <= LONGEST_SUBDOMAIN && text.split('.').every(hasLabelForm);
}
