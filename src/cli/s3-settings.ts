export const s3SettingDescriptions = {
  s3Bucket: { flag: "s3-bucket", argument: "BUCKET", description: "bucket of the s3 blob store; it has to be there already" },
  s3Endpoint: { flag: "s3-endpoint", argument: "URL", description: "address of an S3 server that is not AWS" },
  s3Region: { flag: "s3-region", argument: "REGION", description: "the bucket's region; absent: as AWS_REGION says" },
  s3Prefix: { flag: "s3-prefix", argument: "PREFIX", description: "before every object's name, e.g. larder/production" },
  s3PathStyle: {
    flag: "s3-path-style",
    description: "name the bucket in the path instead of the host name; absent: with --s3-endpoint",
  },
  s3Sse: {
    flag: "s3-sse",
    argument: "HOW",
    description: "server-side encryption to ask for: AES256, aws:kms or aws:kms:KEY",
  },
  s3Presign: {
    flag: "s3-presign",
    argument: "TIME",
    description: "let hosts fetch straight from the bucket, by links that last so long; absent: through the server",
  },
  s3AccessKeyId: {
    flag: "s3-access-key-id",
    argument: "ID",
    description: "absent: credentials as AWS's own variables, files and roles say",
  },
  s3SecretAccessKey: {
    flag: "s3-secret-access-key",
    argument: "KEY",
    description: "better in LARDER_S3_SECRET_ACCESS_KEY than here",
    secret: true,
  },
  s3SessionToken: { flag: "s3-session-token", argument: "TOKEN", description: "of temporary credentials", secret: true },
} as const;
