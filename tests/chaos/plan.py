"""What goes wrong and when: drawn from a seed, so that a run can be had again."""

import random
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["kill", "pause", "cut", "hold", "away"]

PROGRAMS: Final = ("api", "api b", "writer a", "writer b", "worker", "edge", "broker")
SERVERS: Final = ("valkey", "postgres")
LINKS: Final = (
    "devices to api",
    "devices to api b",
    "devices to broker",
    "edge to broker",
    "edge to hub",
    "api to postgres",
    "api to valkey",
    "writer to postgres",
    "writer to valkey",
)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a part, or with the network between two, for some seconds."""

    at_s: float
    kind: Kind
    part: str
    for_s: float

    def overlaps(self, from_s: float, to_s: float) -> bool:
        """Tell whether it lasts at some time within a second of these."""
        return self.at_s < to_s and from_s < self.at_s + self.for_s + 1.0

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.kind} {self.part} for {self.for_s:.1f} s"


@dataclass(frozen=True)
class Plan:
    """How long the load runs, and what happens meanwhile.

    `outages_s` are how long the database is away, in turn. In the last `without_kills_s` parts are paused instead of
    killed, so that their memory can be judged.
    """

    seed: int
    duration_s: float
    outages_s: tuple[float, ...]
    longest_s: float = 6.0
    every_s: float = 2.5
    without_kills_s: float = 0.0

    def faults(self) -> list[Fault]:
        """Draw the faults, in order of time: every part is met, and none by two at once."""
        rng = random.Random(self.seed)
        outages = self._outages()
        faults = list(outages)
        free_at = dict.fromkeys((*PROGRAMS, *SERVERS, *LINKS), 0.0)
        coming: list[tuple[Kind, str]] = []
        at_s = 2.0
        while at_s < self.duration_s - self.longest_s:
            if not coming:
                coming = self._round(rng)
            kind, part = coming.pop()
            if kind == "kill" and at_s > self.duration_s - self.without_kills_s:
                kind = "pause"
            for_s = rng.uniform(0.2, 1.5) if kind == "kill" else rng.uniform(1.0, self.longest_s)
            away = any(one.part == part and one.overlaps(at_s, at_s + for_s + 1.0) for one in outages)
            if free_at[part] <= at_s and not away:
                faults.append(Fault(at_s, kind, part, for_s))
                free_at[part] = at_s + for_s + 1.0
            at_s += rng.uniform(0.5, 1.5) * self.every_s
        return sorted(faults, key=lambda fault: fault.at_s)

    def _outages(self) -> list[Fault]:
        """Spread the times without the database evenly over what comes before the quieter end."""
        idle_s = self.duration_s - self.without_kills_s - sum(self.outages_s)
        at_s, faults = 0.0, list[Fault]()
        for for_s in self.outages_s:
            at_s += idle_s / (len(self.outages_s) + 1)
            faults.append(Fault(at_s, "away", "postgres", for_s))
            at_s += for_s
        return faults

    @staticmethod
    def _round(rng: random.Random) -> list[tuple[Kind, str]]:
        """Meet each part and each link once, in some order."""
        ways: list[tuple[Kind, str]] = [
            *((rng.choice(("kill", "kill", "pause")), part) for part in (*PROGRAMS, *SERVERS)),
            *((rng.choice(("cut", "hold")), link) for link in LINKS),
        ]
        rng.shuffle(ways)
        return ways
