/** What a simulated host proves itself with. */
export interface HostAuth {
  id: string;
  /** The value of `Authorization` for a request that reads. */
  reading(): Promise<string>;
  /** For one that changes something. */
  changing(request: { method: string; path: string; body: string }): Promise<string>;
}

export interface Control {
  url: string;
  adminToken: string;
}

export async function joinHost({ url, adminToken }: Control, id: string): Promise<HostAuth> {
  const answer = await fetch(`${url}/api/hosts`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ id, environment: "default" }),
  });
  if (!answer.ok) throw new Error(`${id} could not be enrolled: ${answer.status} ${await answer.text()}`);
  const { token } = (await answer.json()) as { token: string };
  const header = `Bearer ${token}`;
  return { id, reading: async () => header, changing: async () => header };
}
