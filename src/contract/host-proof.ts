import { isTextSignedBy, sha256Hex, signText } from "./ed25519.ts";
import type { Id } from "./ids.ts";

// How a host proves with each request that it has its key. `Authorization: LarderHost ID.TIME.SIGNATURE` allows reading for some minutes, so that one signature
// serves many requests. What changes something, or has a body, needs `LarderHost ID.TIME.NONCE.DIGEST.SIGNATURE`: for one method, path and body, once.
// TIME is milliseconds of the control plane's clock, as far as the host knows it.

const scheme = "LarderHost ";
const readDomain = "larder host reading v1\n";
const requestDomain = "larder host request v1\n";

/** How long a proof is good, by the control plane's clock, and how far ahead of it a host's may be. */
export const proofLifeMs = 300_000;
export const proofAheadMs = 60_000;

export interface HostCredential {
  hostId: Id;
  /** PKCS #8 DER, base64. */
  privateKey: string;
}

export interface HostProof {
  hostId: Id;
  atMs: number;
  /** Absent: for reading. */
  request?: { nonce: string; bodyDigest: string };
  signature: string;
}

/** What is asked for: the path with its query, below the server's root. */
export interface ProvenRequest {
  method: string;
  path: string;
}

export async function createReadProof({ hostId, privateKey }: HostCredential, atMs: number): Promise<string> {
  const signature = await signText(proofText({ hostId, atMs }), privateKey);
  return `${scheme}${hostId}.${atMs}.${toUrl(signature)}`;
}

export async function createRequestProof(
  { hostId, privateKey }: HostCredential,
  { atMs, body, ...asked }: ProvenRequest & { atMs: number; body: string },
): Promise<string> {
  const request = {
    nonce: crypto.randomUUID().replaceAll("-", ""),
    bodyDigest: await digestOfBody(new TextEncoder().encode(body)),
  };
  const signature = await signText(proofText({ hostId, atMs, request }, asked), privateKey);
  return `${scheme}${hostId}.${atMs}.${request.nonce}.${request.bodyDigest}.${toUrl(signature)}`;
}

export const isHostProof = (header: string | null): header is string => header?.startsWith(scheme) ?? false;

const form = /^LarderHost ([a-z0-9][a-z0-9_-]{0,63})\.(\d{10,16})\.(?:([0-9a-f]{32})\.([0-9a-f]{64})\.)?([A-Za-z0-9_-]{86})$/;

/** `undefined` for what is not one. Nothing of it is proven yet. */
export function parseHostProof(header: string): HostProof | undefined {
  const [, hostId, at, nonce, bodyDigest, signature] = form.exec(header) ?? [];
  if (hostId === undefined || at === undefined || signature === undefined) return undefined;
  return {
    hostId,
    atMs: Number(at),
    ...(nonce !== undefined && bodyDigest !== undefined ? { request: { nonce, bodyDigest } } : {}),
    signature: fromUrl(signature),
  };
}

/** Says nothing of the time, of a body, or whether it was seen before. */
export const isProofBy = (proof: HostProof, asked: ProvenRequest, publicKey: string): Promise<boolean> =>
  isTextSignedBy(proofText(proof, asked), proof.signature, publicKey);

/** SHA-256 in hex. */
export const digestOfBody = (body: Uint8Array<ArrayBuffer>): Promise<string> => sha256Hex(body);

function proofText({ hostId, atMs, request }: Omit<HostProof, "signature">, asked?: ProvenRequest): string {
  if (request === undefined) return `${readDomain}${hostId}\n${atMs}`;
  return `${requestDomain}${hostId}\n${atMs}\n${request.nonce}\n${asked?.method}\n${asked?.path}\n${request.bodyDigest}`;
}

const joinDomain = "larder host join v1\n";

/** That whoever joins has the private half of the key that it brings. */
export const signJoin = (token: string, { publicKey, privateKey }: { publicKey: string; privateKey: string }): Promise<string> =>
  signText(`${joinDomain}${token}\n${publicKey}`, privateKey);

export const isJoinSignedBy = (
  token: string,
  { publicKey, signature }: { publicKey: string; signature: string },
): Promise<boolean> => isTextSignedBy(`${joinDomain}${token}\n${publicKey}`, signature, publicKey);

/** 64 bytes always end in the same two padding characters. */
const toUrl = (base64: string): string => base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const fromUrl = (text: string): string => `${text.replaceAll("-", "+").replaceAll("_", "/")}==`;
