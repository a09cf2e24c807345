/** What a page of the console may do. The page with the editor is a document of its own, because the editor writes style elements and attributes. */
export function pageHeaders(pathname: string): Record<string, string> {
  const style = /^\/[^/]+\/scripts$/.test(pathname) ? "'self' 'unsafe-inline'" : "'self'";
  return {
    ...everyFile,
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      `style-src ${style}`,
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "worker-src 'self'",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-cache",
  };
}

const everyFile = {
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};

/** Workers obey the policy that they came with, not their page's. */
export const assetHeaders: Record<string, string> = {
  ...everyFile,
  "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
  "cache-control": "public, max-age=31536000, immutable",
};
