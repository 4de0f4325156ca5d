/** The nonce of this page: its policy refuses style elements that do not show it. */

export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}
