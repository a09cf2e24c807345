/** What an S3 server does to requests that it matches, so many times. */
export interface S3Fault {
  method?: string;
  /** Matched against path and query. */
  path?: string;
  times: number;
  what:
    | { kind: "status"; status: number; code: string; headers?: Record<string, string>; inner?: string }
    /** 200, and an error in the body. Nothing is done. */
    | { kind: "errorBody" }
    /** Done, and then no answer. */
    | { kind: "loseAnswer" }
    /** The connection is cut after so many bytes of the answer's body. */
    | { kind: "cutBody"; afterBytes: number }
    /** Says that it is done, and does nothing. */
    | { kind: "lie" };
}

export interface S3Request {
  method: string;
  url: string;
  headers: Record<string, string>;
}
