#!/usr/bin/env python3
"""Times rounds of FedAvg in PyTorch, to be compared with the rounds of `fedleak train` on the same machine.

usage: fedavg_round.py [--width 64] [--batch 32] [--clients 10] [--steps 5] [--rounds 3] [--momentum 0.9] [--threads N]
needs: PyTorch (Debian: apt-get install python3-torch libopenblas0-pthread)

One round: each of `clients` clients starts from the server's weights, takes `steps` steps of SGD on batches [B,3,32,32]
of a ResNet10 (BatchNorm in train mode, weight decay 5e-4), and the server averages parameters and buffers. Float32.
Prints one JSON line: {"width", "batch", "clients", "steps", "rounds", "round_s", "round_s_min", "step_ms", "threads",
"torch"}; round_s is the median, the first round is not counted.

Ours, to set beside it (seconds between the points of the record's curve):
  fedleak train --cifar10 FILE --model resnet10 --clients 10 --share 1 --local-steps 5 --batch 32 --momentum 0.9 \
    --rounds 4 --evaluate-every 1000
"""
import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
for name, default in (("width", 64), ("batch", 32), ("clients", 10), ("steps", 5), ("rounds", 3), ("threads", os.cpu_count())):
    parser.add_argument(f"--{name}", type=int, default=default)
parser.add_argument("--momentum", type=float, default=0.9)
args = parser.parse_args()
os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))

import torch  # noqa: E402  (after OMP_NUM_THREADS)
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402


class Block(nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        same = stride == 1 and into == out
        self.shortcut = nn.Sequential() if same else nn.Sequential(
            nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out)
        )

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + self.shortcut(x))


class ResNet10(nn.Module):
    def __init__(self, width, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.Sequential(*(Block(widths[i], widths[i + 1], 1 if i == 0 else 2) for i in range(4)))
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        return self.fc(self.layers(F.relu(self.bn1(self.conv1(x)))).mean((2, 3)))


def train(net, batches, momentum):
    """A client's local training, in place."""
    net.train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum, weight_decay=5e-4)
    for x, y in batches:
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        optimiser.step()


def average(states):
    """The mean of state dicts; counters are copied."""
    return {
        name: torch.stack([s[name] for s in states]).mean(0) if first.is_floating_point() else first
        for name, first in states[0].items()
    }


def copied(net):
    return {name: t.detach().clone() for name, t in net.state_dict().items()}


torch.set_num_threads(args.threads)
torch.manual_seed(0)
net = ResNet10(args.width)
data = [
    [(torch.rand(args.batch, 3, 32, 32), torch.randint(0, 10, (args.batch,))) for _ in range(args.steps)]
    for _ in range(args.clients)
]
server, times = copied(net), []
for _ in range(args.rounds + 1):
    start = time.perf_counter()
    states = []
    for batches in data:
        net.load_state_dict(server)
        train(net, batches, args.momentum)
        states.append(copied(net))
    server = average(states)
    times.append(time.perf_counter() - start)
times = times[1:]
median = statistics.median(times)
print(json.dumps(dict(
    width=args.width, batch=args.batch, clients=args.clients, steps=args.steps, rounds=args.rounds,
    round_s=round(median, 3), round_s_min=round(min(times), 3), step_ms=round(1e3 * median / args.clients / args.steps, 1),
    threads=args.threads, torch=torch.__version__,
)))
