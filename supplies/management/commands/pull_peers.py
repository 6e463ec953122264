"""Read from the other instances now rather than at the next hour."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from supplies.federation.services import pull_all


class Command(BaseCommand):
    help = "Ask every other instance we read for what is new, and say what came of it."

    def handle(self, *args: Any, **options: Any) -> None:
        for peer in pull_all(at=timezone.now()):
            dropped = peer.came_back + peer.not_its_own
            said = peer.problem or (
                f"{peer.taken} rows read, {dropped} of other instances dropped, {peer.unreadable} unreadable"
            )
            self.stdout.write(f"{peer.name} ({peer.get_status_display()}): {said}")
