"""Whether anybody can be dressed in a photo, and be judged afterwards, whichever engine dresses."""

from selify.tryon.engine.advice import several_people
from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.blur import refuse_if_blurred
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.skeleton import Skeleton, refuse_if_undressable
from selify.tryon.types import GarmentCategory, RefusalCode, RenderWarning


def check_photo(
    perception: Perception, photo: Bgr, category: GarmentCategory
) -> tuple[RenderWarning, ...]:
    """Raises Refused for what no engine can mend. ``photo`` is upright and at working size."""
    faces = perception.upright_faces(photo)
    skeleton = Skeleton.of(perception.body(photo, faces))
    try:
        refuse_if_undressable(skeleton, photo.shape, category, faces)
    except Refused as refused:
        # That our own engine would not do well (trousers on somebody seated) says nothing of others.
        if refused.code is not RefusalCode.QUALITY_TOO_LOW:
            raise
    refuse_if_blurred(photo, skeleton)
    return (RenderWarning.SEVERAL_PEOPLE,) if several_people(faces) else ()
