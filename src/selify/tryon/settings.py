"""What can be set about shoppers' photos and the pictures made of them."""

from pydantic import Field

from selify.core.settings import HostsAndPorts, Settings


class TryOnSettings(Settings):
    tryon_media_hosts: HostsAndPorts = Field(
        (), description="Further `host:port` from which engines' pictures may be fetched."
    )
    tryon_small: bool = Field(
        False,
        description="Where memory is short: the embedded engine does without its large networks, and "
        "refuses more pictures.",
    )
    photo_hours: int = Field(
        24, ge=0, description="How long a shopper's photo is kept after it was used, in hours."
    )
    max_photo_megabytes: int = Field(20, ge=1, le=200, description="Largest photo accepted.")
