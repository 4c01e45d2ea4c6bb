/** Whether a path or name ends as an ONNX file's does, in letters of either case. */
export function isOnnxName(name: string): boolean {
  return name.toLowerCase().endsWith(".onnx");
}
