import { readFileSync } from "node:fs";
import { type ControlPlane, createReconcileMemory, type ReconcileResult, reconcileOnce } from "../../src/agent/index.ts";
import {
  type EnvironmentName,
  formatEnrolmentToken,
  generateSigningKey,
  type SignedDesiredState,
  signDesiredState,
} from "../../src/contract/index.ts";
import { type StoreWriter, verifyStore } from "../../src/host/index.ts";
import { silentLogger } from "../../src/lib/index.ts";
import type { FixtureGeneration } from "../harness/fixture-generation.ts";

/** All that a host can ask of a control plane, in one file. */
export interface Scene {
  token: string;
  publicKey: string;
  /** By generation. */
  signed: Record<number, SignedDesiredState>;
  /** Lockfile hash → base64. */
  manifests: Record<string, string>;
  /** Blob key → base64. */
  blobs: Record<string, string>;
}

const environment = "default" as EnvironmentName;
const storeId = "crash-store";
const server = new URL("http://control-plane.invalid");

/** Generation n + 1 has the content n; past the last content they begin again. */
export async function createScene(
  contents: readonly FixtureGeneration[],
  { generations = contents.length } = {},
): Promise<Scene> {
  const key = await generateSigningKey();
  const scene: Scene = {
    token: formatEnrolmentToken("s".repeat(43), key.keyId),
    publicKey: key.publicKey,
    signed: {},
    manifests: {},
    blobs: {},
  };
  for (const { lockfileHash, bytes, blobs } of contents) {
    scene.manifests[lockfileHash] = Buffer.from(bytes).toString("base64");
    for (const [blobKey, content] of blobs) scene.blobs[blobKey] = Buffer.from(content).toString("base64");
  }
  const now = Date.now();
  for (let generation = 1; generation <= generations; generation += 1) {
    const { lockfileHash, manifestDigest } = contents[(generation - 1) % contents.length] as FixtureGeneration;
    scene.signed[generation] = await signDesiredState(
      {
        format: 1,
        storeId,
        environment,
        generation,
        lockfileHash,
        manifestDigest,
        issuedAt: new Date(now + generation).toISOString(),
        expiresAt: new Date(now + 30 * 86_400_000).toISOString(),
      },
      key,
    );
  }
  return scene;
}

export const readScene = (path: string): Scene => JSON.parse(readFileSync(path, "utf8")) as Scene;

export function signedOf(scene: Scene, generation: number): SignedDesiredState {
  const signed = scene.signed[generation];
  if (!signed) throw new Error(`the scene has no generation ${generation}`);
  return signed;
}

/** One pass that ends at `generation`. `repair` looks at every file first, as an agent does after an unclean boot. */
export async function reconcileTo(
  writer: StoreWriter,
  scene: Scene,
  { generation, repair = false }: { generation: number; repair?: boolean },
): Promise<ReconcileResult> {
  const memory = createReconcileMemory();
  if (repair) {
    const { damaged } = await verifyStore(writer.store);
    memory.damaged = { packages: new Set(damaged.packages), trees: new Set(damaged.trees) };
  }
  const controlPlane = controlPlaneOf(scene, generation);
  return reconcileOnce({ writer, controlPlane, token: scene.token, server, logger: silentLogger, memory });
}

function controlPlaneOf(scene: Scene, generation: number): ControlPlane {
  const bytesOf = (all: Record<string, string>, key: string): Uint8Array => {
    const text = all[key];
    if (text === undefined) throw new Error(`the scene has no ${key}`);
    return Buffer.from(text, "base64");
  };
  return {
    signingChain: async () => [],
    join: async () => ({ hostId: "host-1", environment, storeId, publicKey: scene.publicKey }) as never,
    identity: async () => ({ hostId: "host-1", environment, storeId, publicKey: scene.publicKey }) as never,
    desired: async () => ({ kind: "ok", signed: signedOf(scene, generation), etag: `"${generation}"`, time: undefined }),
    manifest: async (lockfileHash) => ({ kind: "whole", bytes: bytesOf(scene.manifests, lockfileHash) }),
    blob: async (key) => chunksOf(bytesOf(scene.blobs, key)),
    report: async () => {},
    claimRuns: async () => [],
    finishRun: async () => {},
    events: async function* () {},
  };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 4096) yield bytes.subarray(offset, offset + 4096);
}
