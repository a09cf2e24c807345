import type {
  BlobKey,
  HostEvent,
  HostIdentity,
  HostReport,
  JoinRequest,
  LockfileHash,
  RunOutcome,
  RunRequestBody,
  SignedDesiredState,
  SigningChain,
} from "../contract/for-hosts.ts";
import type { ToldTime } from "../host/index.ts";

/** `nextKeyId`: the key that is announced as the next one; a hint. */
export type DesiredAnswer =
  /** `time`: the control plane's clock when it answered, if it said so. */
  | {
      kind: "ok";
      signed: SignedDesiredState;
      etag: string | undefined;
      time: ToldTime | undefined;
      nextKeyId?: string | undefined;
    }
  | { kind: "notModified"; nextKeyId?: string | undefined }
  /** Nothing was installed yet. */
  | { kind: "none" };

export type ManifestAnswer = { kind: "whole"; bytes: Uint8Array } | { kind: "delta"; bytes: Uint8Array };

/** What a host asks of its control plane. Nothing that it answers is trusted before it was checked. */
export interface ControlPlane {
  /** With an enrolment token. The same again, with the same key, gets the same answer. */
  join(token: string, request: JoinRequest, signal?: AbortSignal): Promise<HostIdentity>;
  /** Who the control plane takes this host for. */
  identity(signal?: AbortSignal): Promise<HostIdentity>;
  /** How its signing keys handed over to each other, unchecked. */
  signingChain(signal?: AbortSignal): Promise<SigningChain>;
  desired(etag?: string, signal?: AbortSignal): Promise<DesiredAnswer>;
  /** Whole, or what makes it of the manifest `from`, unchecked. */
  manifest(lockfileHash: LockfileHash, options?: { from?: LockfileHash; signal?: AbortSignal }): Promise<ManifestAnswer>;
  /** A cut connection is resumed where it ended. */
  blob(key: BlobKey, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Some of `keys`, each whole, unchecked and given away; what it leaves out has to be asked for with `blob`. Throws when `signal` aborts, nothing else. */
  blobs?(keys: readonly BlobKey[], signal: AbortSignal): AsyncIterable<{ key: BlobKey; content: Uint8Array }>;
  report(report: HostReport, signal?: AbortSignal): Promise<void>;
  /** At most `max` scripts that wait for this host; each is given once. */
  claimRuns(max: number, signal?: AbortSignal): Promise<{ id: string; request: RunRequestBody }[]>;
  finishRun(id: string, outcome: RunOutcome, signal?: AbortSignal): Promise<void>;
  /** Ends when the connection does; `onOpen` when it stands, `onHeard` whenever something comes, heartbeats too. */
  events(signal: AbortSignal, onOpen?: () => void, onHeard?: () => void): AsyncIterable<HostEvent>;
}
