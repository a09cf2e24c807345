declare module "*.css";
declare module "*?worker" {
  const createWorker: new () => Worker;
  export default createWorker;
}
