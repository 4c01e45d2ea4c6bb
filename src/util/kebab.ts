/** A name as people read it: `labelLearningRate` → `label-learning-rate`, from which commander makes the former again. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
